//! The names of event types, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// A type, by its place among those that were seen: comparing two costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(u32);

/// The types that were seen.
#[derive(Debug, Clone, Default)]
pub struct EventTypes {
    names: Vec<Arc<str>>,
    known: HashMap<Arc<str>, EventType>,
}

impl EventTypes {
    /// The type of a name, which is new where it was not seen before.
    pub fn of(&mut self, name: &str) -> EventType {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        // A database has some hundred types; what is beyond 32 bits would be the last one.
        let new = EventType(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.known.insert(name, new);
        new
    }

    /// The type of a name that was seen.
    pub fn find(&self, name: &str) -> Option<EventType> {
        self.known.get(name).copied()
    }

    /// The name of a type.
    pub fn name(&self, event_type: EventType) -> &str {
        self.names.get(event_type.0 as usize).map_or("", |name| name)
    }

    /// The same, to be kept without the types.
    pub fn shared_name(&self, event_type: EventType) -> Arc<str> {
        self.names.get(event_type.0 as usize).map_or_else(|| "".into(), Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_type() {
        let mut types = EventTypes::default();
        let (created, paid) = (types.of("OrderCreated"), types.of("Paid"));
        assert_eq!(types.of("OrderCreated"), created);
        assert_ne!(created, paid);
        assert_eq!((types.name(created), types.name(paid)), ("OrderCreated", "Paid"));
        assert_eq!((types.find("Paid"), types.find("paid")), (Some(paid), None));
    }
}
