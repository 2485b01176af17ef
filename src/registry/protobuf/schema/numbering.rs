//! Which message the indexes before a message in Confluent's wire format mean.
//!
//! They count the messages of a file, then those within the message. Producers that know the
//! descriptors count the entries of maps, which are messages there; those that know the text
//! count what stands in it. Both are tried.

use prost_reflect::prost_types::{DescriptorProto, FileDescriptorProto, MessageOptions};

/// The messages of a file, and those within them, in their order.
#[derive(Debug, Default)]
pub(in crate::registry::protobuf) struct Numbering {
    top: Vec<Numbered>,
}

#[derive(Debug)]
struct Numbered {
    full_name: String,
    /// Whether the message stands in the text as such; the entry of a `map<…>` does not.
    is_written: bool,
    within: Vec<Numbered>,
}

impl Numbering {
    /// The messages of this file, as it came.
    pub(super) fn of(file: &FileDescriptorProto, is_text: bool) -> Self {
        Self { top: numbered(file.package(), &file.message_type, is_text) }
    }

    /// The name of the first message.
    pub(in crate::registry::protobuf) fn first(&self) -> Option<&str> {
        self.top.first().map(|first| first.full_name.as_str())
    }

    /// The names of all messages that stand in the file, those within others behind them.
    pub(in crate::registry::protobuf) fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut waiting: Vec<&Numbered> = self.top.iter().rev().collect();
        while let Some(message) = waiting.pop() {
            if message.is_written {
                names.push(message.full_name.as_str());
            }
            waiting.extend(message.within.iter().rev());
        }
        names
    }

    /// The names of the messages that the indexes may mean, the likelier one first.
    pub(in crate::registry::protobuf) fn at(&self, indexes: &[usize]) -> Vec<&str> {
        let mut names = Vec::new();
        for counts_entries in [false, true] {
            let name = self.find(indexes, counts_entries);
            names.extend(name.filter(|name| !names.contains(name)));
        }
        names
    }

    fn find(&self, indexes: &[usize], counts_entries: bool) -> Option<&str> {
        let mut messages = &self.top;
        let mut found = None;
        for index in indexes {
            let mut counted =
                messages.iter().filter(|message| counts_entries || message.is_written);
            let message = counted.nth(*index)?;
            found = message.is_written.then_some(message.full_name.as_str());
            messages = &message.within;
        }
        found
    }
}

fn numbered(scope: &str, messages: &[DescriptorProto], is_text: bool) -> Vec<Numbered> {
    let numbered = messages.iter().map(|message| {
        let full_name = match scope {
            "" => message.name().to_owned(),
            scope => format!("{scope}.{}", message.name()),
        };
        // The parser marks the entries that it makes of `map<…>`; where the text itself has them,
        // the mark is an option that nobody has read yet.
        let is_made = message.options.as_ref().is_some_and(MessageOptions::map_entry);
        Numbered {
            is_written: !is_text || !is_made,
            within: numbered(&full_name, &message.nested_type, is_text),
            full_name,
        }
    });
    numbered.collect()
}
