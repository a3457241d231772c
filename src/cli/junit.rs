//! JUnit's XML, as continuous-integration servers read it.

use std::fmt::Write;

/// The cases of one scenario file.
#[derive(Debug)]
pub struct Suite {
    /// The scenario, or its file if it could not be read.
    pub name: String,
    /// One for each expectation; one at least.
    pub cases: Vec<Case>,
}

/// One test case.
#[derive(Debug)]
pub struct Case {
    /// What was tested.
    pub name: String,
    /// How it went.
    pub result: CaseResult,
}

/// How a test case went.
#[derive(Debug)]
pub enum CaseResult {
    /// It held.
    Passed,
    /// It did not hold: why.
    Failed(String),
    /// It could not be tested: why.
    Error(String),
}

/// The whole document.
pub fn document(suites: &[Suite]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let _ = writeln!(xml, "<testsuites name=\"acksim\"{}>", totals(all()));
    for suite in suites {
        let (name, totals) = (escaped(&suite.name), totals(suite.cases.iter()));
        let _ = writeln!(xml, "  <testsuite name=\"{name}\"{totals}>");
        for case in &suite.cases {
            write_case(&mut xml, &suite.name, case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn totals<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for case in cases {
        tests += 1;
        match case.result {
            CaseResult::Passed => {}
            CaseResult::Failed(_) => failures += 1,
            CaseResult::Error(_) => errors += 1,
        }
    }
    format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"")
}

fn write_case(xml: &mut String, suite: &str, case: &Case) {
    let (suite, name) = (escaped(suite), escaped(&case.name));
    let _ = write!(xml, "    <testcase classname=\"{suite}\" name=\"{name}\"");
    let _ = match &case.result {
        CaseResult::Passed => writeln!(xml, "/>"),
        CaseResult::Failed(why) => write_problem(xml, "failure", why),
        CaseResult::Error(why) => write_problem(xml, "error", why),
    };
}

fn write_problem(xml: &mut String, element: &str, why: &str) -> std::fmt::Result {
    let first = escaped(why.lines().next().unwrap_or_default());
    let all = escaped(why);
    writeln!(
        xml,
        ">\n      <{element} message=\"{first}\">{all}</{element}>\n    </testcase>"
    )
}

/// Text for an attribute or an element. Characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_a_name_the_document_is_well_formed() {
        let failed = CaseResult::Failed("found 3 < 4\nat \"b\"\u{1b}".to_owned());
        let passed = CaseResult::Passed;
        let case = |name: &str, result| Case {
            name: name.to_owned(),
            result,
        };
        let suites = [Suite {
            name: "a&b".to_owned(),
            cases: vec![case("messages.lost", passed), case("throughput", failed)],
        }];
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"acksim\" tests=\"2\" failures=\"1\" errors=\"0\">
  <testsuite name=\"a&amp;b\" tests=\"2\" failures=\"1\" errors=\"0\">
    <testcase classname=\"a&amp;b\" name=\"messages.lost\"/>
    <testcase classname=\"a&amp;b\" name=\"throughput\">
      <failure message=\"found 3 &lt; 4\">found 3 &lt; 4&#10;at &quot;b&quot;\u{fffd}</failure>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(document(&suites), expected);
    }
}
