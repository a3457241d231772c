//! The consumers of a queue in the order in which they are asked to take a message
//! (`Queue.consumers`, `QueueDispatchSelector`, `MessageGroupMap`).
//!
//! ActiveMQ keeps one list, walks it for every message, and puts the taker at its end; the list is
//! sorted by priority and, once there are message groups, by how many of them a consumer owns. What
//! decides is only the *order* among those that have room. So each consumer has a [`Place`] that
//! says where in ActiveMQ's list it stands, and those with room are kept in order of their places:
//! the first one takes the message, and a thousand full consumers cost nothing.

use crate::kernel::Fifo;

use super::Surroundings;
use super::subscription::{QueueConsumer, Subscription, SubscriptionIndex};

/// `CachedMessageGroupMap`: more groups than this push out the least recently used.
const MAXIMUM_GROUPS: usize = 1024;

/// Where a consumer stands in the list; smaller is earlier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Place {
    /// By [`QueueConsumer::rank`], as it was when the list was last sorted.
    rank: u64,
    /// Whoever took a message last stands last.
    turn: u64,
}

impl QueueConsumer {
    /// High priorities first, then those that own few groups: smaller is earlier.
    #[inline]
    fn rank(&self) -> u64 {
        let below_highest = i8::MAX.abs_diff(self.priority);
        (u64::from(below_highest) << 32) | u64::from(self.assigned_groups)
    }
}

/// What a queue knows of its consumers.
#[derive(Debug)]
pub(super) struct Consumers {
    members: Vec<SubscriptionIndex>,
    /// Those that are not full, and where they stand. (What [`QueueConsumer::place`] says of them is
    /// not kept up to date while they take turns, since that would be one more line of the cache.)
    with_room: Fifo<(Place, SubscriptionIndex)>,
    exclusive: Option<SubscriptionIndex>,
    groups: MessageGroups,
    next_turn: u64,
    rules: ListRules,
    /// Whether those with room do not all have the same rank.
    ranks_differ: bool,
    /// Whether the one that takes a message is always the first with room and simply goes to the
    /// end, as with nearly all queues: see [`Self::note_turns`].
    take_turns: bool,
}

/// Of the queue's policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListRules {
    /// `strictOrderDispatch`: takers stay where they are.
    pub strict_order: bool,
    /// `useConsumerPriority`; else the list is never sorted.
    pub sorted: bool,
    /// `allConsumersExclusiveByDefault`
    pub all_exclusive: bool,
}

impl Consumers {
    pub fn new(rules: ListRules) -> Consumers {
        Consumers {
            members: Vec::new(),
            with_room: Fifo::new(),
            exclusive: None,
            groups: MessageGroups::default(),
            next_turn: 0,
            rules,
            ranks_differ: false,
            take_turns: false,
        }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether one consumer gets everything.
    #[inline]
    pub fn has_exclusive(&self) -> bool {
        self.exclusive.is_some()
    }

    /// Whether no message at all can go out now: all who might take one are full, or there is
    /// nobody.
    #[inline]
    pub fn nobody_can_take(&self, subscriptions: &[Subscription]) -> bool {
        match self.exclusive {
            Some(exclusive) => subscriptions[exclusive].full,
            None => self.with_room.is_empty(),
        }
    }

    /// All consumers, in no particular order.
    pub fn members(&self) -> &[SubscriptionIndex] {
        &self.members
    }

    /// All consumers, the first in the list first.
    pub fn in_order(&self, subscriptions: &[Subscription]) -> Vec<SubscriptionIndex> {
        let full = self.members.iter().filter(|&&m| subscriptions[m].full);
        let full = full.map(|&member| (subscriptions[member].queue.place, member));
        let mut order: Vec<_> = self.with_room.iter().copied().chain(full).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, member)| member).collect()
    }

    /// `Queue.addSubscription`
    pub fn add(&mut self, new: SubscriptionIndex, subscriptions: &mut [Subscription]) {
        self.members.push(new);
        let consumer = &mut subscriptions[new].queue;
        consumer.place = self.last_place(consumer);
        if !subscriptions[new].full {
            self.put_in(subscriptions[new].queue.place, new);
        }
        if self.groups.counts_changed {
            self.sort(subscriptions);
        }
        if self.is_exclusive(new, subscriptions) && self.replaces_exclusive(new, subscriptions) {
            rule!("exclusive-is-replaced", self.exclusive.is_some());
            self.exclusive = Some(new);
        }
        let rank_of = |member: SubscriptionIndex| subscriptions[member].queue.place.rank;
        self.ranks_differ |= rank_of(self.members[0]) != rank_of(new);
        self.note_turns();
    }

    /// To be called when anything of this changes: several consumers of one rank, none of them
    /// exclusive, no groups, and a policy that rotates.
    fn note_turns(&mut self) {
        let one_rank = !self.ranks_differ && !self.groups.counts_changed;
        let all_equal = one_rank && self.groups.owned == 0 && self.exclusive.is_none();
        self.take_turns = all_equal && self.len() > 1 && !self.rules.strict_order;
    }

    /// Whether [`Self::go_last`] is all that [`Self::rotate`] does with one that still has room.
    #[inline(always)]
    pub fn take_turns(&self) -> bool {
        self.take_turns
    }

    /// The first with room took a message and goes to the end of the list.
    #[inline(always)]
    pub fn go_last(&mut self) {
        rule!("takers-go-last");
        self.next_turn += 1;
        if let Some((mut place, taker)) = self.with_room.pop_front() {
            place.turn = self.next_turn;
            self.with_room.push_back((place, taker));
        }
    }

    /// A consumer took a message that filled its window.
    #[inline(always)]
    pub fn fill(
        &mut self,
        taker: SubscriptionIndex,
        subscriptions: &mut [Subscription],
        s: &mut impl Surroundings,
    ) {
        let filled = &mut subscriptions[taker];
        self.becomes_full(taker, filled, s);
        if self.take_turns {
            rule!("takers-go-last");
            self.next_turn += 1;
            filled.queue.place.turn = self.next_turn;
        } else {
            self.rotate(taker, subscriptions);
        }
    }

    fn is_exclusive(&self, member: SubscriptionIndex, subscriptions: &[Subscription]) -> bool {
        self.rules.all_exclusive || subscriptions[member].queue.exclusive
    }

    fn replaces_exclusive(&self, new: SubscriptionIndex, subscriptions: &[Subscription]) -> bool {
        let priority = subscriptions[new].queue.priority;
        self.exclusive.is_none_or(|current| {
            priority == i8::MAX || priority > subscriptions[current].queue.priority
        })
    }

    /// `Queue.removeSubscription`: its groups become free, and the exclusive consumer has a
    /// successor.
    pub fn remove(&mut self, gone: SubscriptionIndex, subscriptions: &mut [Subscription]) {
        self.members.retain(|&member| member != gone);
        let leaving = &mut subscriptions[gone];
        if !leaving.full {
            self.take_out(gone, &mut leaving.queue.place);
        }
        self.groups.remove_consumer(gone);
        if self.exclusive == Some(gone) || self.rules.all_exclusive {
            rule!("exclusive-has-a-successor");
            self.exclusive = self.successor(subscriptions);
        }
        self.note_turns();
    }

    /// The exclusive consumer of the highest priority, the first of them in the list.
    fn successor(&self, subscriptions: &[Subscription]) -> Option<SubscriptionIndex> {
        let candidates = self.in_order(subscriptions).into_iter();
        candidates
            .filter(|&member| self.is_exclusive(member, subscriptions))
            .min_by_key(|&member| -i16::from(subscriptions[member].queue.priority))
    }

    /// Who gets the next message if it belongs to no group. None if nobody has room, or if one
    /// consumer is exclusive.
    #[inline]
    pub fn first_with_room(&self) -> Option<SubscriptionIndex> {
        match self.exclusive {
            None => self.with_room.first().map(|&(_, first)| first),
            Some(_) => None,
        }
    }

    /// Which consumer gets a message of this group (0: none) now (`Queue.doActualDispatch`,
    /// `QueueDispatchSelector.canSelect`, `Queue.assignMessageGroup`).
    #[inline]
    pub fn select(
        &mut self,
        group: u32,
        subscriptions: &mut [Subscription],
    ) -> Option<SubscriptionIndex> {
        rule!("exclusive", self.exclusive.is_some());
        if group == 0 && self.exclusive.is_none() {
            return self.first_with_room();
        }
        self.select_apart(group, subscriptions)
    }

    #[inline(never)]
    fn select_apart(
        &mut self,
        group: u32,
        subscriptions: &mut [Subscription],
    ) -> Option<SubscriptionIndex> {
        let owner = self.groups.owner(group);
        let candidate = match self.exclusive {
            Some(exclusive) if owner.is_none_or(|owner| owner == exclusive) => exclusive,
            Some(_) => return None,
            None => owner.or_else(|| self.with_room.first().map(|&(_, first)| first))?,
        };
        if subscriptions[candidate].full {
            return None;
        }
        if group > 0 && owner.is_none() {
            rule!("groups-have-owners");
            self.assign_group(group, candidate, subscriptions);
        }
        Some(candidate)
    }

    fn assign_group(
        &mut self,
        group: u32,
        owner: SubscriptionIndex,
        subscriptions: &mut [Subscription],
    ) {
        subscriptions[owner].queue.assigned_groups += 1;
        if let Some(evicted) = self.groups.put(group, owner) {
            subscriptions[evicted].queue.assigned_groups -= 1;
        }
        self.note_turns();
    }

    /// Whoever took a message goes to the end of the list, which is then sorted.
    #[inline(never)]
    pub fn rotate(&mut self, taker: SubscriptionIndex, subscriptions: &mut [Subscription]) {
        let stays = self.rules.strict_order || self.len() <= 1 || self.exclusive == Some(taker);
        rule!("strict-order-fills-first", self.rules.strict_order);
        if stays {
            return;
        }
        rule!("takers-go-last");
        let moving = &mut subscriptions[taker];
        if !moving.full {
            self.take_out(taker, &mut moving.queue.place);
        }
        moving.queue.place = self.last_place(&moving.queue);
        if !moving.full {
            self.put_in(moving.queue.place, taker);
        }
        if self.groups.counts_changed {
            rule!("groups-prefer-the-poor");
            self.sort(subscriptions);
        }
    }

    /// Behind all others that are its equals.
    #[inline]
    fn last_place(&mut self, consumer: &QueueConsumer) -> Place {
        self.next_turn += 1;
        rule!(
            "consumer-priority",
            self.rules.sorted && consumer.priority != 0
        );
        rule!(
            "consumer-priority-off",
            !self.rules.sorted && consumer.priority != 0
        );
        Place {
            rank: if self.rules.sorted {
                consumer.rank()
            } else {
                0
            },
            turn: self.next_turn,
        }
    }

    /// A stable sort by what is true now (`orderedCompare`).
    #[inline(never)]
    fn sort(&mut self, subscriptions: &mut [Subscription]) {
        self.groups.counts_changed = false;
        let mut order = self.in_order(subscriptions);
        if self.rules.sorted {
            order.sort_by_key(|&member| subscriptions[member].queue.rank());
        }
        self.ranks_differ = false;
        let first = order.first().copied();
        for &member in &order {
            let consumer = &mut subscriptions[member].queue;
            consumer.place = self.last_place(consumer);
            let rank = consumer.place.rank;
            self.ranks_differ |=
                first.is_some_and(|first| subscriptions[first].queue.place.rank != rank);
        }
        self.note_turns();
        self.with_room.clear();
        for member in order {
            if !subscriptions[member].full {
                self.with_room
                    .push_back((subscriptions[member].queue.place, member));
            }
        }
    }

    /// Looks whether the window of a consumer is full, and notes it if that changed.
    #[inline]
    pub fn update_room(
        &mut self,
        member: SubscriptionIndex,
        looked_at: &mut Subscription,
        s: &mut impl Surroundings,
    ) {
        let full = looked_at.is_full();
        if full && !looked_at.full {
            self.becomes_full(member, looked_at, s);
        } else if looked_at.full && !full {
            self.has_room_again(member, looked_at, s);
        }
    }

    #[inline(always)]
    fn becomes_full(
        &mut self,
        member: SubscriptionIndex,
        changed: &mut Subscription,
        s: &mut impl Surroundings,
    ) {
        changed.full = true;
        changed.tell_window(s);
        self.take_out(member, &mut changed.queue.place);
    }

    #[inline(always)]
    pub fn has_room_again(
        &mut self,
        member: SubscriptionIndex,
        changed: &mut Subscription,
        s: &mut impl Surroundings,
    ) {
        changed.full = false;
        changed.tell_window(s);
        self.put_in(changed.queue.place, member);
    }

    /// Notes the place of one that leaves those with room.
    #[inline(always)]
    fn take_out(&mut self, member: SubscriptionIndex, place: &mut Place) {
        match self.with_room.first() {
            Some(&(first_place, first)) if first == member => {
                *place = first_place;
                self.with_room.pop_front();
            }
            _ => self.take_out_of_the_middle(member, place),
        }
    }

    #[inline(never)]
    fn take_out_of_the_middle(&mut self, member: SubscriptionIndex, place: &mut Place) {
        let noted = self.with_room.binary_search_by_key(place, |entry| entry.0);
        let index = match noted {
            Ok(index) => Some(index),
            Err(_) => self.with_room.iter().position(|entry| entry.1 == member),
        };
        if let Some((found, _)) = index.and_then(|index| self.with_room.remove(index)) {
            *place = found;
        }
    }

    #[inline]
    fn put_in(&mut self, place: Place, member: SubscriptionIndex) {
        if self.with_room.last().is_none_or(|last| last.0 < place) {
            self.with_room.push_back((place, member));
        } else {
            self.put_in_the_middle(place, member);
        }
    }

    #[inline(never)]
    fn put_in_the_middle(&mut self, place: Place, member: SubscriptionIndex) {
        if let Err(index) = self.with_room.binary_search_by_key(&place, |entry| entry.0) {
            self.with_room.insert(index, (place, member));
        }
    }
}

/// Which consumer owns which message group (`CachedMessageGroupMap`).
#[derive(Debug, Default)]
struct MessageGroups {
    /// By group.
    owners: Vec<Option<Owner>>,
    owned: usize,
    uses: u64,
    /// Some consumer owns more or fewer groups than when the list was sorted last.
    counts_changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    subscription: SubscriptionIndex,
    last_used: u64,
}

impl MessageGroups {
    fn owner(&mut self, group: u32) -> Option<SubscriptionIndex> {
        let owner = self.owners.get_mut(group as usize)?.as_mut()?;
        self.uses += 1;
        owner.last_used = self.uses;
        Some(owner.subscription)
    }

    /// Returns the owner of the group that had to go for it.
    fn put(&mut self, group: u32, subscription: SubscriptionIndex) -> Option<SubscriptionIndex> {
        if self.owners.len() <= group as usize {
            self.owners.resize(group as usize + 1, None);
        }
        self.uses += 1;
        let last_used = self.uses;
        self.owners[group as usize] = Some(Owner {
            subscription,
            last_used,
        });
        self.owned += 1;
        self.counts_changed = true;
        if self.owned > MAXIMUM_GROUPS {
            rule!("groups-are-1024");
            self.evict()
        } else {
            None
        }
    }

    fn evict(&mut self) -> Option<SubscriptionIndex> {
        let owned = self.owners.iter_mut().filter(|owner| owner.is_some());
        let eldest = owned.min_by_key(|owner| owner.map(|owner| owner.last_used))?;
        self.owned -= 1;
        eldest.take().map(|owner| owner.subscription)
    }

    fn remove_consumer(&mut self, gone: SubscriptionIndex) {
        for owner in &mut self.owners {
            if owner.is_some_and(|owner| owner.subscription == gone) {
                rule!("groups-become-free");
                *owner = None;
                self.owned -= 1;
            }
        }
    }
}
