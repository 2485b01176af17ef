//! librdkafka's in-memory mock cluster, for where no real Kafka can be had.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rdkafka::mocking::MockCluster;

use crate::error::Error;

/// A mock cluster of one broker. The cluster can't leave its thread, so that requests go there.
#[derive(Debug)]
pub(crate) struct Mock {
    brokers: String,
    /// Its thread, and the cluster, end when this is dropped.
    requests: Sender<Request>,
}

struct Request {
    topic: String,
    partitions: i32,
    answer: Sender<Result<(), String>>,
}

impl Mock {
    pub(crate) fn start() -> Result<Mock, Error> {
        let (requests, inbox) = channel();
        let (started, when_started) = channel();
        thread::spawn(move || run(&inbox, &started));
        let brokers =
            when_started.recv().unwrap_or_else(|_| Err("its thread ended".into())).map_err(
                |reason| Error::NotStarted { server: "the mock Kafka", reason, log: String::new() },
            )?;
        Ok(Mock { brokers, requests })
    }

    pub(crate) fn brokers(&self) -> &str {
        &self.brokers
    }

    pub(crate) fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), Error> {
        let (answer, when_answered) = channel();
        let ended = || "the mock Kafka's thread ended".to_string();
        self.requests
            .send(Request { topic: topic.to_string(), partitions, answer })
            .map_err(|_| ended())
            .and_then(|()| when_answered.recv().map_err(|_| ended())?)
            .map_err(|reason| Error::Request {
                action: format!("create the topic {topic}"),
                reason,
            })
    }
}

fn run(inbox: &Receiver<Request>, started: &Sender<Result<String, String>>) {
    let cluster = match MockCluster::new(1) {
        Ok(cluster) => cluster,
        // A send fails only when the one who asked has gone.
        Err(error) => {
            let _ = started.send(Err(error.to_string()));
            return;
        }
    };
    let _ = started.send(Ok(cluster.bootstrap_servers()));
    for request in inbox {
        let created = cluster.create_topic(&request.topic, request.partitions, 1);
        let _ = request.answer.send(created.map_err(|error| error.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use std::time::Duration;

    #[test]
    fn has_the_topics_that_were_created() {
        let mock = Mock::start().unwrap();
        mock.create_topic("orders.events", 3).unwrap();
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", mock.brokers()).create().unwrap();
        let metadata =
            consumer.fetch_metadata(Some("orders.events"), Duration::from_secs(10)).unwrap();
        assert_eq!(metadata.topics()[0].partitions().len(), 3);
    }
}
