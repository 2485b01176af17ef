//! What Kafka Connect is asked to do: Debezium in every setting that writes events in a notation of
//! its own, and a sink that refuses some of what it is given.

/// A setting: name and value.
type Setting = (&'static str, &'static str);

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const TEXT: &str = "org.apache.kafka.connect.storage.StringConverter";

const DATA: &str = "public.orders,public.customers,public.order_lines";
const OUTBOX: &str = "public.outbox";
const OUTBOXES: &str = "public.outbox,public.event_outbox";

/// Connect's own default: keys and values in JSON, each with its schema.
const WITH_SCHEMAS: &[Setting] = &[
    ("key.converter", JSON),
    ("key.converter.schemas.enable", "true"),
    ("value.converter", JSON),
    ("value.converter.schemas.enable", "true"),
];
const WITHOUT_SCHEMAS: &[Setting] = &[
    ("key.converter", JSON),
    ("key.converter.schemas.enable", "false"),
    ("value.converter", JSON),
    ("value.converter.schemas.enable", "false"),
];
const AS_TEXT: &[Setting] = &[("key.converter", TEXT), ("value.converter", TEXT)];

/// The outbox event router, with the type in a header.
const ROUTER: &[Setting] = &[
    ("transforms", "outbox"),
    ("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"),
    ("transforms.outbox.table.fields.additional.placement", "type:header:eventType"),
];
const EXPANDED: &[Setting] = &[("transforms.outbox.table.expand.json.payload", "true")];

/// Only the row as it is after the change.
const FLAT: &[Setting] = &[
    ("transforms", "flat"),
    ("transforms.flat.type", "io.debezium.transforms.ExtractNewRecordState"),
];

/// One Debezium: what its topics begin with, the tables it looks at, and its settings.
pub(super) struct Debezium {
    pub(super) name: &'static str,
    pub(super) tables: &'static str,
    pub(super) settings: &'static [&'static [Setting]],
}

pub(super) const DEBEZIUMS: [Debezium; 16] = [
    Debezium { name: "schemas", tables: DATA, settings: &[WITH_SCHEMAS] },
    Debezium {
        name: "connect_times",
        tables: DATA,
        settings: &[WITH_SCHEMAS, &[("time.precision.mode", "connect")]],
    },
    Debezium {
        name: "nanoseconds",
        tables: DATA,
        settings: &[WITH_SCHEMAS, &[("time.precision.mode", "nanoseconds")]],
    },
    Debezium {
        name: "iso_times",
        tables: DATA,
        settings: &[WITH_SCHEMAS, &[("time.precision.mode", "isostring")]],
    },
    Debezium { name: "bare", tables: DATA, settings: &[WITHOUT_SCHEMAS] },
    Debezium {
        name: "bare_strings",
        tables: DATA,
        settings: &[WITHOUT_SCHEMAS, &[("decimal.handling.mode", "string")]],
    },
    Debezium { name: "flat", tables: DATA, settings: &[WITH_SCHEMAS, FLAT] },
    Debezium { name: "flat_bare", tables: DATA, settings: &[WITHOUT_SCHEMAS, FLAT] },
    Debezium {
        name: "cloud_events",
        tables: DATA,
        settings: &[&[
            ("key.converter", JSON),
            ("value.converter", "io.debezium.converters.CloudEventsConverter"),
        ]],
    },
    Debezium { name: "routed", tables: OUTBOX, settings: &[WITH_SCHEMAS, ROUTER] },
    Debezium {
        name: "routed_expanded",
        tables: OUTBOX,
        settings: &[
            WITH_SCHEMAS,
            ROUTER,
            EXPANDED,
            &[("header.converter", JSON), ("header.converter.schemas.enable", "true")],
        ],
    },
    Debezium {
        name: "routed_bare",
        tables: OUTBOX,
        settings: &[
            WITHOUT_SCHEMAS,
            ROUTER,
            EXPANDED,
            &[("header.converter", JSON), ("header.converter.schemas.enable", "false")],
        ],
    },
    Debezium { name: "routed_text", tables: OUTBOX, settings: &[AS_TEXT, ROUTER] },
    Debezium {
        name: "routed_envelope",
        tables: OUTBOX,
        settings: &[
            WITHOUT_SCHEMAS,
            ROUTER,
            &[(
                "transforms.outbox.table.fields.additional.placement",
                "type:envelope:eventType,id:envelope:eventId",
            )],
        ],
    },
    Debezium { name: "unrouted", tables: OUTBOXES, settings: &[WITH_SCHEMAS] },
    Debezium { name: "unrouted_bare", tables: OUTBOXES, settings: &[WITHOUT_SCHEMAS] },
];

impl Debezium {
    /// The whole configuration, as the worker reads it.
    pub(super) fn configuration(&self, prefix: &str, port: u16) -> String {
        let Self { name, tables, .. } = self;
        let mut text = format!(
            "name={name}\n\
             connector.class=io.debezium.connector.postgresql.PostgresConnector\n\
             plugin.name=pgoutput\n\
             database.hostname=127.0.0.1\n\
             database.port={port}\n\
             database.user=postgres\n\
             database.password=trusted\n\
             database.dbname=postgres\n\
             topic.prefix={prefix}.{name}\n\
             slot.name={name}\n\
             publication.name={name}\n\
             publication.autocreate.mode=filtered\n\
             table.include.list={tables}\n\
             transforms.outbox.route.topic.replacement={prefix}.{name}.${{routedByValue}}.events\n\
             topic.creation.default.partitions=1\n\
             topic.creation.default.replication.factor=1\n\
             poll.interval.ms=100\n"
        );
        for (name, value) in self.settings.iter().copied().flatten() {
            // Of a name that is there twice the worker takes the last.
            text.push_str(&format!("{name}={value}\n"));
        }
        text
    }

    /// The topics that it writes, with how many records each will have.
    pub(super) fn topics(&self) -> Vec<(String, usize)> {
        let tombstones = usize::from(!self.settings.contains(&FLAT));
        let name = |end: &str, records| (format!("{}.{end}", self.name), records);
        match (self.tables, self.name.starts_with("routed")) {
            (DATA, _) => vec![
                name("public.customers", 5 + tombstones),
                name("public.orders", 5 + tombstones),
                name("public.order_lines", 1),
            ],
            (_, true) => vec![name("order.events", 2), name("payment.events", 1)],
            (_, false) => vec![name("public.outbox", 5), name("public.event_outbox", 1)],
        }
    }
}

/// A sink that writes into a file what it understands; the rest are Connect's own dead letters.
pub(super) fn sink(topic: &str, dead_letters: &str) -> String {
    format!(
        "name=sink\n\
         connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector\n\
         topics={topic}\n\
         file=sink.txt\n\
         key.converter={TEXT}\n\
         value.converter={JSON}\n\
         consumer.override.auto.offset.reset=earliest\n\
         errors.tolerance=all\n\
         errors.deadletterqueue.topic.name={dead_letters}\n\
         errors.deadletterqueue.topic.replication.factor=1\n\
         errors.deadletterqueue.context.headers.enable=true\n"
    )
}

/// The configuration of the worker itself.
pub(super) fn worker(brokers: &str) -> String {
    format!(
        "bootstrap.servers={brokers}\n\
         key.converter={JSON}\n\
         value.converter={JSON}\n\
         offset.storage.file.filename=offsets\n\
         plugin.discovery=service_load\n\
         listeners=http://127.0.0.1:0\n"
    )
}
