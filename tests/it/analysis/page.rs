//! A page of HTML, as a browser reads it.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Elements after which a line of text ends.
const LINES: [&str; 14] = [
    "p",
    "h1",
    "h2",
    "h3",
    "li",
    "tr",
    "dt",
    "dd",
    "figcaption",
    "summary",
    "nav",
    "title",
    "caption",
    "text",
];

/// What a page holds.
pub(super) struct Page {
    /// What was wrong with its text.
    pub(super) errors: Vec<String>,
    pub(super) elements: Vec<Element>,
    /// What a reader sees, a line for each paragraph, item and row; cells stand apart by ` | `.
    pub(super) text: String,
}

/// An element with its attributes.
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// The text within `style`.
    pub(super) style: String,
}

impl Page {
    /// Reads it.
    pub(super) fn read(html: &str) -> Self {
        let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
        let errors = dom.errors.borrow().iter().map(ToString::to_string).collect();
        let mut page = Self { errors, elements: Vec::new(), text: String::new() };
        page.walk(&dom.document);
        let lines = page.text.lines().map(|line| line.trim().trim_end_matches('|').trim());
        page.text = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        page
    }

    fn walk(&mut self, node: &Handle) {
        match &node.data {
            NodeData::Text { contents } => {
                let words: Vec<_> =
                    contents.borrow().split_whitespace().map(str::to_owned).collect();
                if !words.is_empty() {
                    self.text.push_str(&format!("{} ", words.join(" ")));
                }
                return;
            }
            NodeData::Element { name, attrs, .. } => {
                let name = name.local.to_string();
                let attributes = attrs.borrow();
                let attributes =
                    attributes.iter().map(|it| (it.name.local.to_string(), it.value.to_string()));
                let mut element =
                    Element { name, attributes: attributes.collect(), style: String::new() };
                if element.name == "style" {
                    for child in node.children.borrow().iter() {
                        if let NodeData::Text { contents } = &child.data {
                            element.style.push_str(&contents.borrow());
                        }
                    }
                    self.elements.push(element);
                    return;
                }
                let (is_line, is_cell) = (
                    LINES.contains(&element.name.as_str()),
                    ["td", "th"].contains(&element.name.as_str()),
                );
                // How the flow is drawn is told by the tests of `audit flow`.
                let is_flow = element.attributes.contains(&("class".to_owned(), "flow".to_owned()));
                let before = self.text.len();
                self.elements.push(element);
                node.children.borrow().iter().for_each(|child| self.walk(child));
                if is_flow {
                    self.text.truncate(before);
                }
                self.text.push_str(if is_cell { "| " } else { "" });
                self.text.push_str(if is_line { "\n" } else { "" });
                return;
            }
            _ => {}
        }
        node.children.borrow().iter().for_each(|child| self.walk(child));
    }

    /// Fails where a browser would run or load anything.
    #[track_caller]
    pub(super) fn assert_harmless(&self) {
        const KNOWN: [&str; 44] = [
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "main",
            "footer",
            "nav",
            "section",
            "figure",
            "figcaption",
            "details",
            "summary",
            "h1",
            "h2",
            "h3",
            "p",
            "ul",
            "li",
            "dl",
            "dt",
            "dd",
            "div",
            "span",
            "a",
            "b",
            "i",
            "small",
            "code",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "svg",
            "g",
            "path",
            "rect",
            "circle",
            "text",
        ];
        for Element { name, attributes, style } in &self.elements {
            assert!(KNOWN.contains(&name.as_str()) || name == "line", "<{name}> {attributes:?}");
            for (attribute, value) in attributes {
                assert!(!attribute.starts_with("on"), "{name} {attribute}={value}");
                let loads =
                    ["src", "srcset", "data", "action", "poster", "xlink:href", "http-equiv"];
                let is_policy = name == "meta" && value == "Content-Security-Policy";
                assert!(
                    !loads.contains(&attribute.as_str()) || is_policy,
                    "{name} {attribute}={value}"
                );
                if attribute == "href" {
                    assert!(name == "a" && value.starts_with('#'), "{name} {attribute}={value}");
                }
            }
            for text in [style, &attributes.iter().map(|it| it.1.as_str()).collect::<String>()] {
                assert!(!text.contains("url(") && !text.contains("@import"), "{name}: {text}");
            }
        }
        let policy = self.elements.iter().position(|element| {
            element.attributes.iter().any(|attribute| {
                attribute.1 == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
            })
        });
        let style = self.elements.iter().position(|element| element.name == "style");
        assert!(policy.is_some() && policy < style, "the policy stands before what it governs");
    }

    /// The lines of a section, from its heading on.
    pub(super) fn section(&self, heading: &str) -> Vec<&str> {
        let lines = self.text.lines().skip_while(|line| *line != heading);
        // The first of its name is a link.
        let lines = lines.skip(1).skip_while(|line| *line != heading).skip(1);
        lines.collect()
    }

    /// The value of a figure at the top, which stands behind its name.
    pub(super) fn figure(&self, name: &str) -> Option<&str> {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_value = |line: &str| line.starts_with(|first: char| first.is_ascii_digit());
        let figure = lines.windows(2).find(|pair| pair[0] == name && is_value(pair[1]));
        figure.map(|pair| pair[1])
    }
}
