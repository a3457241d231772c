//! Whether messages are handed over in the order in which their producer sent them.

use crate::scenario::{DestinationKind, Scenario};
use crate::wire::{ConsumerIndex, Message};

/// The newest message handed over of each line: a producer's messages, or those of one group of
/// them; on a topic, each subscriber's own.
#[derive(Debug)]
pub struct Order {
    newest: Vec<u64>,
    /// Where a producer's lines begin, and how many it has for each reader.
    lines: Vec<(usize, usize)>,
    /// Which reader of its topic a consumer is; all consumers of a queue are one reader.
    readers: Vec<usize>,
    /// Whether each producer has one line, which then bears its number.
    is_plain: bool,
}

impl Order {
    /// Nothing was handed over yet.
    pub fn new(scenario: &Scenario) -> Order {
        let mut count = vec![0; scenario.destinations.len()];
        let readers = scenario.consumers.iter().map(|consumer| {
            let count = &mut count[consumer.destination];
            match scenario.destinations[consumer.destination].kind {
                DestinationKind::Queue => 0,
                DestinationKind::Topic => {
                    *count += 1;
                    *count - 1
                }
            }
        });
        let readers = readers.collect();
        let mut total = 0;
        let lines = scenario.producers.iter().map(|producer| {
            let groups = producer.groups.map_or(1, |groups| groups as usize + 1);
            let begin = total;
            total += groups * count[producer.destination].max(1);
            (begin, groups)
        });
        let lines: Vec<(usize, usize)> = lines.collect();
        Order {
            is_plain: total == lines.len(),
            lines,
            newest: vec![0; total],
            readers,
        }
    }

    /// A message is handed over; whether a newer one of its line was before.
    #[inline(always)]
    pub fn is_violated(&mut self, consumer: ConsumerIndex, message: &Message) -> bool {
        if message.dead_letter {
            return false;
        }
        let line = if self.is_plain {
            message.producer as usize
        } else {
            self.line(consumer, message)
        };
        let newest = &mut self.newest[line];
        if message.number < *newest {
            return true;
        }
        *newest = message.number;
        false
    }

    #[inline(never)]
    fn line(&self, consumer: ConsumerIndex, message: &Message) -> usize {
        let (begin, groups) = self.lines[message.producer as usize];
        begin + self.readers[consumer as usize] * groups + message.group as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Plan, Story, plan};

    /// Whether handing over the messages of these numbers, all to the given consumers, violates the
    /// order.
    fn violations(scenario: &Scenario, deliveries: &[(u32, u64, u32)]) -> Vec<bool> {
        let mut story = Story::new(scenario, ());
        let mut order = Order::new(scenario);
        let handed_over = deliveries.iter().map(|(consumer, number, group)| {
            let message = story.send(0);
            story.messages[message].number = *number;
            story.messages[message].group = *group;
            order.is_violated(*consumer, &story.messages[message])
        });
        handed_over.collect()
    }

    #[test]
    fn a_queue_has_one_order_for_all_its_consumers() {
        let scenario = plan()
            .queue("q")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0);
        let found = violations(
            &scenario,
            &[(0, 1, 0), (0, 3, 0), (1, 2, 0), (1, 3, 0), (0, 4, 0)],
        );
        assert_eq!(found, [false, false, true, false, false]);
    }

    #[test]
    fn each_group_has_an_order_of_its_own() {
        let mut scenario = plan().queue("q").producer("p", 0).consumer("a", 0);
        scenario.producers[0].groups = Some(2);
        let found = violations(&scenario, &[(0, 3, 1), (0, 2, 2), (0, 1, 1)]);
        assert_eq!(found, [false, false, true]);
    }

    #[test]
    fn each_subscriber_of_a_topic_has_an_order_of_its_own() {
        let scenario = plan()
            .topic("t")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0);
        let found = violations(&scenario, &[(0, 2, 0), (1, 1, 0), (0, 1, 0), (1, 2, 0)]);
        assert_eq!(found, [false, false, true, false]);
    }
}
