//! A schema registry that answers whatever a test wants.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use record_file::{RegisteredSchema, SubjectVersion};

/// What it was asked.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    /// In lower case.
    pub(super) headers: BTreeMap<String, String>,
}

/// What it answers.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// How long the answer takes.
    pub(super) after: Duration,
}

impl Answer {
    pub(super) fn of(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned(), after: Duration::ZERO }
    }
}

type Answering = Box<dyn Fn(&Request) -> Option<Answer> + Send>;

#[derive(Default)]
struct State {
    /// What is answered to each path.
    answers: BTreeMap<String, String>,
    /// Answers in the place of these.
    instead: Option<Answering>,
    asked: Vec<Request>,
}

/// A registry below a path, on a port of its own. Its thread ends with the test's process.
#[derive(Clone)]
pub(crate) struct FakeRegistry {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl FakeRegistry {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let registry = Self { port, state: Arc::default() };
        let serving = registry.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(&stream));
            }
        });
        registry
    }

    /// Its URL, with a path that has to be kept.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/below/here/", self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Registers a schema under subjects.
    pub(super) fn register(&self, id: u32, schema_type: &str, schema: &str, subjects: &[&str]) {
        self.register_with(id, schema_type, schema, subjects, "[]");
    }

    /// Registers a schema that refers to others.
    pub(super) fn register_with(
        &self,
        id: u32,
        schema_type: &str,
        schema: &str,
        subjects: &[&str],
        references: &str,
    ) {
        let schema = serde_json::to_string(schema).expect("a text is JSON");
        // A registry does not name the type of an Avro schema.
        let schema_type = match schema_type {
            "AVRO" => String::new(),
            other => format!("\"schemaType\":\"{other}\","),
        };
        let body = format!("{{{schema_type}\"schema\":{schema},\"references\":{references}}}");
        let versions: Vec<_> = subjects
            .iter()
            .map(|subject| serde_json::json!({"subject": subject, "version": 1}))
            .collect();
        let versions = serde_json::Value::from(versions).to_string();
        let mut state = self.state();
        for subject in subjects {
            let subject = subject.replace('/', "%2F").replace(' ', "%20");
            state.answers.insert(format!("/subjects/{subject}/versions/1"), body.clone());
        }
        state.answers.insert(format!("/schemas/ids/{id}"), body);
        state.answers.insert(format!("/schemas/ids/{id}/versions"), versions);
    }

    /// Registers a schema as a fixture has it.
    pub(crate) fn register_fixture(&self, schema: &RegisteredSchema) {
        let body = serde_json::json!({
            "schema": schema.schema, "schemaType": schema.schema_type, "references": schema.references,
        });
        let mut state = self.state();
        for SubjectVersion { subject, version } in &schema.versions {
            let subject = subject.replace('/', "%2F");
            let path = format!("/subjects/{subject}/versions/{version}");
            state.answers.insert(path, body.to_string());
        }
        let versions = serde_json::json!(schema.versions).to_string();
        state.answers.insert(format!("/schemas/ids/{}", schema.id), body.to_string());
        state.answers.insert(format!("/schemas/ids/{}/versions", schema.id), versions);
    }

    /// Answers this wherever it is something.
    pub(super) fn answer_instead(
        &self,
        answer: impl Fn(&Request) -> Option<Answer> + Send + 'static,
    ) {
        self.state().instead = Some(Box::new(answer));
    }

    /// Answers honestly again.
    pub(super) fn heal(&self) {
        self.state().instead = None;
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Request> {
        self.state().asked.clone()
    }

    /// How often it was asked for this.
    pub(super) fn times_asked(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|request| request.path == path).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader) {
            let answer = self.answer(request);
            thread::sleep(answer.after);
            let mut text = format!(
                "HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n",
                answer.status,
                answer.body.len()
            );
            for (name, value) in &answer.headers {
                text += &format!("{name}: {value}\r\n");
            }
            text += "\r\n";
            text += &answer.body;
            let mut stream = stream;
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: Request) -> Answer {
        let mut state = self.state();
        let mut answer = state.instead.as_ref().and_then(|instead| instead(&request));
        if answer.is_none() {
            let path = request.path.strip_prefix("/below/here");
            let found = path.and_then(|path| state.answers.get(path));
            answer = found.map(|body| Answer::of(200, body));
        }
        state.asked.push(request);
        answer.unwrap_or_else(|| {
            Answer::of(404, r#"{"error_code":40403,"message":"Schema not found"}"#)
        })
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers })
}
