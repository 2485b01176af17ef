//! Random values of random schemas, encoded by apache-avro: what is read is what was written.

use apache_avro::schema::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{BigDecimal, Days, Decimal, Duration, Millis, Months, Uuid};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Days as CalendarDays, NaiveDate, NaiveTime, SecondsFormat, Utc};
use proptest::prelude::*;

use super::AvroSchema;

/// How many digits of each decimal stand behind the point: apache-avro's values do not tell.
const SCALE: i64 = 3;

/// A type, before it has names.
#[derive(Debug, Clone)]
enum Type {
    /// A type that holds no others, as its schema; `@` stands where a name is needed.
    Simple(&'static str),
    Array(Box<Type>),
    Map(Box<Type>),
    /// A branch beside null.
    Maybe(Box<Type>),
    /// A record that may be one of the branches beside text and numbers.
    Mixed(Vec<Type>),
    Record(Vec<Type>),
    /// The record around it again, or null.
    Again,
}

const SIMPLE: [&str; 25] = [
    r#""null""#,
    r#""boolean""#,
    r#""int""#,
    r#""long""#,
    r#""float""#,
    r#""double""#,
    r#""string""#,
    r#""bytes""#,
    r#"{"type":"fixed","name":"@","size":5}"#,
    r#"{"type":"enum","name":"@","symbols":["A","B_2","c"]}"#,
    r#"{"type":"bytes","logicalType":"decimal","precision":60,"scale":3}"#,
    r#"{"type":"fixed","name":"@","size":20,"logicalType":"decimal","precision":40,"scale":3}"#,
    r#"{"type":"bytes","logicalType":"big-decimal"}"#,
    r#"{"type":"int","logicalType":"date"}"#,
    r#"{"type":"int","logicalType":"time-millis"}"#,
    r#"{"type":"long","logicalType":"time-micros"}"#,
    r#"{"type":"long","logicalType":"timestamp-millis"}"#,
    r#"{"type":"long","logicalType":"timestamp-micros"}"#,
    r#"{"type":"long","logicalType":"timestamp-nanos"}"#,
    r#"{"type":"long","logicalType":"local-timestamp-millis"}"#,
    r#"{"type":"long","logicalType":"local-timestamp-micros"}"#,
    r#"{"type":"long","logicalType":"local-timestamp-nanos"}"#,
    r#"{"type":"fixed","name":"@","size":12,"logicalType":"duration"}"#,
    r#"{"type":"string","logicalType":"uuid"}"#,
    r#"{"type":"fixed","name":"@","size":16,"logicalType":"uuid"}"#,
];

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        9 => prop::sample::select(SIMPLE.to_vec()).prop_map(Type::Simple),
        1 => Just(Type::Again),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Type::Array(inner.into())),
            inner.clone().prop_map(|inner| Type::Map(inner.into())),
            inner.clone().prop_map(|inner| Type::Maybe(inner.into())),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Type::Mixed),
            prop::collection::vec(inner, 0..5).prop_map(Type::Record),
        ]
    })
}

/// Numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Small numbers more often than large ones.
    fn long(&mut self) -> i64 {
        (self.next() as i64) >> self.below(64)
    }

    fn int(&mut self) -> i32 {
        (self.next() as i32) >> self.below(32)
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self) -> String {
        let letters = ['a', 'Z', '"', '\\', '\n', '\t', 'é', '€', '😀', '\u{7F}', '/', '\u{2028}'];
        let length = self.below(12);
        (0..length).map(|_| letters[self.below(letters.len() as u64) as usize]).collect()
    }
}

/// Writes the schemas of types, and gives each record, enum and fixed a name.
#[derive(Default)]
struct Names {
    count: usize,
    around: Vec<String>,
}

impl Names {
    fn schema(&mut self, of: &Type) -> String {
        match of {
            Type::Simple(schema) => {
                self.count += 1;
                schema.replace('@', &format!("N{}", self.count))
            }
            Type::Array(inner) => format!(r#"{{"type":"array","items":{}}}"#, self.schema(inner)),
            Type::Map(inner) => format!(r#"{{"type":"map","values":{}}}"#, self.schema(inner)),
            // A union holds no union, and no null twice.
            Type::Maybe(inner) if is_union_or_null(inner) => self.schema(inner),
            Type::Maybe(inner) => format!(r#"["null",{}]"#, self.schema(inner)),
            Type::Mixed(fields) => {
                format!(r#"["long",{},"string"]"#, self.schema(&Type::Record(fields.clone())))
            }
            Type::Record(fields) => {
                self.count += 1;
                // Every third name begins a namespace, which those within inherit.
                let name = match self.count % 3 {
                    0 => format!("space{0}.R{0}", self.count),
                    _ => format!("R{}", self.count),
                };
                let full_name = match (name.contains('.'), self.namespace()) {
                    (false, Some(namespace)) => format!("{namespace}.{name}"),
                    _ => name.clone(),
                };
                self.around.push(full_name);
                let fields: Vec<String> = fields
                    .iter()
                    .enumerate()
                    .map(|(at, field)| {
                        format!(r#"{{"name":"f{at}","type":{}}}"#, self.schema(field))
                    })
                    .collect();
                self.around.pop();
                let fields = fields.join(",");
                format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#)
            }
            Type::Again => match self.around.last() {
                Some(name) => format!(r#"["null","{name}"]"#),
                None => "\"null\"".to_owned(),
            },
        }
    }

    fn namespace(&self) -> Option<&str> {
        self.around.last().and_then(|name| name.rsplit_once('.')).map(|(namespace, _)| namespace)
    }
}

fn is_union_or_null(of: &Type) -> bool {
    matches!(of, Type::Maybe(_) | Type::Mixed(_) | Type::Again | Type::Simple(r#""null""#))
}

/// A value of a type; `around` are the fields of the record around it.
fn value(of: &Type, around: Option<&[Type]>, budget: u32, random: &mut Random) -> Value {
    let less = budget.saturating_sub(1);
    match of {
        Type::Simple(schema) => simple(schema, random),
        Type::Array(inner) => {
            let length = random.below(4);
            Value::Array((0..length).map(|_| value(inner, around, less, random)).collect())
        }
        Type::Map(inner) => {
            let length = random.below(4);
            let entry = |_| (random.text(), value(inner, around, less, random));
            Value::Map((0..length).map(entry).collect())
        }
        Type::Maybe(inner) if is_union_or_null(inner) => value(inner, around, less, random),
        Type::Maybe(_) if random.below(3) == 0 => Value::Union(0, Value::Null.into()),
        Type::Maybe(inner) => Value::Union(1, value(inner, around, less, random).into()),
        Type::Mixed(fields) => match random.below(3) {
            0 => Value::Union(0, Value::Long(random.long()).into()),
            1 => Value::Union(1, record(fields, less, random).into()),
            _ => Value::Union(2, Value::String(random.text()).into()),
        },
        Type::Record(fields) => record(fields, less, random),
        Type::Again => match around {
            Some(fields) if budget > 0 && random.below(2) == 0 => {
                Value::Union(1, record(fields, less / 2, random).into())
            }
            Some(_) => Value::Union(0, Value::Null.into()),
            None => Value::Null,
        },
    }
}

fn record(fields: &[Type], budget: u32, random: &mut Random) -> Value {
    let values = fields.iter().map(|of| value(of, Some(fields), budget, random));
    Value::Record(values.enumerate().map(|(at, value)| (format!("f{at}"), value)).collect())
}

fn simple(schema: &str, random: &mut Random) -> Value {
    let has = |word: &str| schema.contains(&format!("\"{word}\""));
    // Moments between the years 1653 and 2286, as nanoseconds allow.
    let mut moment = |per_second: i64| {
        let seconds = random.next() as i64 % 10_000_000_000 % (i64::MAX / per_second);
        seconds * per_second + (random.next() as i64 % per_second)
    };
    match () {
        () if has("timestamp-millis") => Value::TimestampMillis(moment(1_000)),
        () if has("timestamp-micros") => Value::TimestampMicros(moment(1_000_000)),
        () if has("timestamp-nanos") => Value::TimestampNanos(moment(1_000_000_000)),
        () if has("local-timestamp-millis") => Value::LocalTimestampMillis(moment(1_000)),
        () if has("local-timestamp-micros") => Value::LocalTimestampMicros(moment(1_000_000)),
        () if has("local-timestamp-nanos") => Value::LocalTimestampNanos(moment(1_000_000_000)),
        () if has("date") => Value::Date(random.int() % 700_000),
        () if has("time-millis") => Value::TimeMillis(random.below(86_400_000) as i32),
        () if has("time-micros") => Value::TimeMicros(random.below(86_400_000_000) as i64),
        () if has("big-decimal") => {
            let (digits, scale) = (random.long(), random.below(40) as i64 - 20);
            Value::BigDecimal(BigDecimal::new(digits.into(), scale))
        }
        () if has("decimal") => {
            // Of a number that has fewer bytes than its fixed the sign is written on.
            let length = random.below(17) + 1;
            Value::Decimal(Decimal::from(random.bytes(length)))
        }
        () if has("duration") => {
            let [months, days, millis] =
                [0; 3].map(|_: u8| random.next() as u32 >> random.below(32));
            Value::Duration(Duration::new(
                Months::new(months),
                Days::new(days),
                Millis::new(millis),
            ))
        }
        () if has("uuid") => {
            let bytes: [u8; 16] = random.bytes(16).try_into().expect("16 bytes");
            Value::Uuid(Uuid::from_bytes(bytes))
        }
        () if has("fixed") => Value::Fixed(5, random.bytes(5)),
        () if has("enum") => {
            let at = random.below(3);
            Value::Enum(at as u32, ["A", "B_2", "c"][at as usize].to_owned())
        }
        () if has("boolean") => Value::Boolean(random.below(2) == 1),
        () if has("int") => Value::Int(random.int()),
        () if has("long") => Value::Long(random.long()),
        () if has("float") => Value::Float(f32::from_bits(random.next() as u32)),
        () if has("double") => Value::Double(f64::from_bits(random.next())),
        () if has("string") => Value::String(random.text()),
        () if has("bytes") => {
            let length = random.below(20);
            Value::Bytes(random.bytes(length))
        }
        () => Value::Null,
    }
}

/// The JSON that a value should become, by other means than the reader's.
fn expected(value: &Value) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("JSON");
    let utc = |nanos_of: fn(i64) -> Option<DateTime<Utc>>, count, format| {
        nanos_of(count).expect("a moment").to_rfc3339_opts(format, true)
    };
    let millis = |count| utc(DateTime::from_timestamp_millis, count, SecondsFormat::Millis);
    let micros = |count| utc(DateTime::from_timestamp_micros, count, SecondsFormat::Micros);
    let of_nanos = |count| Some(DateTime::from_timestamp_nanos(count));
    let nanos = |count| utc(of_nanos, count, SecondsFormat::Nanos);
    let local = |text: String| quoted(text.trim_end_matches('Z'));
    let clock = |micros: i64, format: &str| {
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        let time =
            NaiveTime::from_num_seconds_from_midnight_opt(seconds as u32, rest as u32 * 1_000);
        quoted(&time.expect("a time").format(format).to_string())
    };
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Float(value) if value.is_nan() => "\"NaN\"".to_owned(),
        Value::Float(value) if value.is_infinite() => {
            format!("\"{value}\"").replace("inf", "Infinity")
        }
        Value::Float(value) => serde_json::to_string(value).expect("it is finite"),
        Value::Double(value) if value.is_nan() => "\"NaN\"".to_owned(),
        Value::Double(value) if value.is_infinite() => {
            format!("\"{value}\"").replace("inf", "Infinity")
        }
        Value::Double(value) => serde_json::to_string(value).expect("it is finite"),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => quoted(&STANDARD.encode(bytes)),
        Value::String(text) | Value::Enum(_, text) => quoted(text),
        Value::Union(_, inner) => expected(inner),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(expected).collect::<Vec<_>>().join(","))
        }
        Value::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(name, value)| format!("{}:{}", quoted(name), expected(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Record(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", quoted(name), expected(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Date(days) => {
            let first = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day");
            let count = CalendarDays::new(days.unsigned_abs().into());
            let day = if *days < 0 { first - count } else { first + count };
            quoted(&day.format("%Y-%m-%d").to_string())
        }
        Value::Decimal(decimal) => {
            let number = bigdecimal::BigDecimal::new(decimal.clone().into(), SCALE);
            number.to_plain_string()
        }
        // The crate writes the zeros of a negative scale behind 0, too.
        Value::BigDecimal(number) if number.to_plain_string().starts_with("00") => "0".to_owned(),
        Value::BigDecimal(number) => number.to_plain_string(),
        Value::TimeMillis(count) => clock(i64::from(*count) * 1_000, "%H:%M:%S%.3f"),
        Value::TimeMicros(count) => clock(*count, "%H:%M:%S%.6f"),
        Value::TimestampMillis(count) => quoted(&millis(*count)),
        Value::TimestampMicros(count) => quoted(&micros(*count)),
        Value::TimestampNanos(count) => quoted(&nanos(*count)),
        Value::LocalTimestampMillis(count) => local(millis(*count)),
        Value::LocalTimestampMicros(count) => local(micros(*count)),
        Value::LocalTimestampNanos(count) => local(nanos(*count)),
        Value::Duration(duration) => {
            let (months, days) = (u32::from(duration.months()), u32::from(duration.days()));
            let millis = u32::from(duration.millis());
            let part = |count, letter| match count {
                0 => String::new(),
                count => format!("{count}{letter}"),
            };
            let seconds = part(millis, 'S').replace('S', "");
            let seconds = match seconds.as_str() {
                "" if months == 0 && days == 0 => "T0S".to_owned(),
                "" => String::new(),
                _ => format!("T{}S", f64::from(millis) / 1_000.0),
            };
            quoted(&format!("P{}{}{seconds}", part(months, 'M'), part(days, 'D')))
        }
        Value::Uuid(id) => quoted(&id.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_apache_avro_writes_is_read_exactly(of in any_type(), seed: u64) {
        let json = Names::default().schema(&of);
        let mut random = Random(seed);
        let oracle = Schema::parse_str(&json);
        prop_assert!(oracle.is_ok(), "{json}: {oracle:?}");
        let (oracle, schema) = (oracle.expect("a schema"), AvroSchema::parse(&json, &[]));
        let schema = schema.expect("a schema");
        let writer = GenericDatumWriter::builder(&oracle).build().expect("a writer");
        // Bytes at the top have no length for this reader.
        let is_bytes = json.contains("bytes") && json.starts_with('"')
            || json.starts_with(r#"{"type":"bytes""#);
        for _ in 0..4 {
            let value = value(&of, None, 6, &mut random);
            let expected = expected(&value);
            let written = format!("{value:?}");
            let mut bytes = writer.write_value_to_vec(value).expect("bytes");
            if is_bytes {
                bytes = bytes.split_off(1);
            }
            let read = schema.read(&bytes).map(|read| read.json);
            prop_assert_eq!(read, Ok(expected), "{}\n{}", json, written);
            // No part of it is a value.
            let end = random.below(bytes.len() as u64 + 1) as usize;
            let part = schema.read(&bytes[..end]);
            prop_assert!(is_bytes || end == bytes.len() || part.is_err(), "{}", json);
        }
    }

    #[test]
    fn a_value_with_any_bytes_changed_is_json_or_refused(
        of in any_type(),
        seed: u64,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let json = Names::default().schema(&of);
        let oracle = Schema::parse_str(&json).expect("a schema");
        let writer = GenericDatumWriter::builder(&oracle).build().expect("a writer");
        let value = value(&of, None, 6, &mut Random(seed));
        let mut bytes = writer.write_value_to_vec(value).expect("bytes");
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        let read = AvroSchema::parse(&json, &[]).expect("a schema").read(&bytes);
        if let Ok(read) = read {
            let tree: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&read.json);
            prop_assert!(tree.is_ok(), "{}", read.json);
        }
    }
}
