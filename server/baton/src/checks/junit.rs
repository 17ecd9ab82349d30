//! Reads JUnit's XML, as many test runners write it. The document comes from code under test: it may
//! be huge, deep, torn or hostile, so only elements and attributes are looked at, and those bounded.

use super::cases::{Cases, Ending};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 64;
/// Most elements of one document.
const ELEMENTS_MAX: usize = 1_000_000;

/// All test cases of one document; what is damaged or can't be believed is said.
pub(super) fn read(bytes: &[u8], cases: &mut Cases) {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    let mut walk = Walk { cases, open: Vec::new(), suites: Vec::new(), case: None, elements: 0 };
    loop {
        let step = match reader.read_event() {
            Ok(Event::Start(it)) => walk.start(&it),
            Ok(Event::Empty(it)) => walk.start(&it).and_then(|()| walk.end()),
            Ok(Event::End(_)) => walk.end(),
            // Entities of its own making could grow without bounds.
            Ok(Event::DocType(_)) => Err("it declares a document type".to_string()),
            Ok(Event::Eof) => match (walk.open.is_empty(), walk.elements) {
                (true, 0) => Err("it is empty".into()),
                (true, _) => return,
                (false, _) => Err("it is cut off".into()),
            },
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = step {
            walk.cases.doubt(format!("its JUnit report can't be read: {why}"));
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Suite,
    Case,
    Other,
}

struct Walk<'a> {
    cases: &'a mut Cases,
    open: Vec<Element>,
    suites: Vec<String>,
    case: Option<Case>,
    elements: usize,
}

struct Case {
    name: String,
    class: String,
    file: String,
    ending: Ending,
}

impl Walk<'_> {
    fn start(&mut self, it: &BytesStart<'_>) -> Result<(), String> {
        self.elements += 1;
        if DEPTH_MAX <= self.open.len() {
            return Err(format!("it is more than {DEPTH_MAX} elements deep"));
        }
        if ELEMENTS_MAX < self.elements {
            return Err(format!("it has more than {ELEMENTS_MAX} elements"));
        }
        let tag = it.local_name();
        let element = match tag.as_ref() {
            "testsuite" => {
                self.suites.push(attribute(it, "name")?);
                Element::Suite
            }
            "testcase" if self.case.is_none() => {
                let (name, class) = (attribute(it, "name")?, attribute(it, "classname")?);
                let file = attribute(it, "file")?;
                self.case = Some(Case { name, class, file, ending: Ending::Passed });
                Element::Case
            }
            "testcase" => return Err("a test case lies in another one".into()),
            "failure" | "error" => {
                self.set(Ending::Failed);
                Element::Other
            }
            "skipped" => {
                self.set(Ending::Ignored);
                Element::Other
            }
            _ => Element::Other,
        };
        self.open.push(element);
        Ok(())
    }

    /// Only what lies directly in a test case is about it; a failure outweighs all else.
    fn set(&mut self, ending: Ending) {
        if let (Some(Element::Case), Some(case)) = (self.open.last(), &mut self.case)
            && case.ending != Ending::Failed
        {
            case.ending = ending;
        }
    }

    fn end(&mut self) -> Result<(), String> {
        match self.open.pop() {
            Some(Element::Suite) => drop(self.suites.pop()),
            Some(Element::Case) => {
                if let Some(case) = self.case.take() {
                    let name = full_name(&case, &self.suites);
                    self.cases.add(&name, None, case.ending);
                }
            }
            Some(Element::Other) => (),
            None => return Err("an element ends that did not begin".into()),
        }
        Ok(())
    }
}

/// pytest's node id where the file is told; the suites' names where classes mean nothing (node's);
/// else the class and the name.
fn full_name(case: &Case, suites: &[String]) -> String {
    if let Some(module) = case.file.strip_suffix(".py") {
        let module = module.replace('/', ".");
        if case.class.is_empty() && case.name == module {
            // It was not even collected.
            return case.file.clone();
        }
        if let Some(rest) = case.class.strip_prefix(&module) {
            let classes = rest.split('.').filter(|it| !it.is_empty());
            let parts = std::iter::once(case.file.as_str()).chain(classes);
            return parts.chain([case.name.as_str()]).collect::<Vec<_>>().join("::");
        }
    }
    if case.class.is_empty() || case.class == "test" {
        let suites = suites.iter().map(String::as_str).filter(|it| !it.is_empty());
        return suites.chain([case.name.as_str()]).collect::<Vec<_>>().join(" > ");
    }
    format!("{}.{}", case.class, case.name)
}

fn attribute(it: &BytesStart<'_>, name: &str) -> Result<String, String> {
    match it.try_get_attribute(name).map_err(|it| it.to_string())? {
        Some(it) => {
            let value = it.normalized_value(XmlVersion::Implicit1_0);
            value.map(|it| it.into_owned()).map_err(|it| it.to_string())
        }
        None => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests;
