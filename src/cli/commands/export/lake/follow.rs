//! Stays, and appends what is new for as long as nobody ends it.

use std::time::{Duration, Instant};

use super::run::{Interruption, Runs, said};
use crate::cli::ui::{Failure, Ui};
use crate::store::{self, BATCH_CHANNEL, Notifications, Session, Settings};

/// How often it is asked for new batches, where nobody tells of them or the word gets lost.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A server that doesn't answer the smallest question for so long is taken for gone.
const ANSWER: Duration = Duration::from_secs(10);

/// The pause before it is tried again, doubled up to the longest.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// How often it is said that an outage goes on.
const SAY_AGAIN: Duration = Duration::from_mins(5);

/// How long nothing was appended because something is away.
#[derive(Default)]
struct Outage {
    pause: Option<Duration>,
    said_at: Option<Instant>,
}

impl Outage {
    /// Says why nothing comes, not more often than anybody wants to read it, and waits.
    async fn wait(&mut self, reason: &Failure, ui: Ui) {
        if self.said_at.is_none_or(|said_at| said_at.elapsed() >= SAY_AGAIN) {
            ui.status(&format!("{}; trying again", reason.message()));
            self.said_at = Some(Instant::now());
        }
        let pause = self.pause.map_or(FIRST_RETRY, |pause| (pause * 2).min(LONGEST_RETRY));
        self.pause = Some(pause);
        tokio::time::sleep(pause).await;
    }

    /// It is over.
    fn end(&mut self, batch_no: i64, ui: Ui) {
        if self.said_at.is_some() {
            ui.status(&format!("going on behind batch {batch_no}"));
        }
        *self = Self::default();
    }
}

impl Runs<'_> {
    /// Appends what is new until something ends that. What is away when it begins ends it at once:
    /// most often it was mistyped. What goes away later is waited for.
    pub(super) async fn follow(&mut self) -> Failure {
        let ui = self.context.ui;
        let mut outage = Outage::default();
        let settings = match self.context.settings.database() {
            Ok(settings) => settings,
            Err(failure) => return failure,
        };
        let (mut batch_no, mut has_begun) = (None::<i64>, false);
        loop {
            let stopped = self.follow_on_one_session(&settings, &mut batch_no, &mut outage).await;
            // It may have been left in the middle of a commit: it is opened again.
            has_begun |= batch_no.is_some() || self.table.take().is_some();
            match stopped {
                Interruption::Lost(reason) if has_begun => outage.wait(&reason, ui).await,
                Interruption::Lost(failure) | Interruption::Failed(failure) => return failure,
            }
        }
    }

    /// Appends what is new for as long as nothing goes away. `batch_no` is the last one that the
    /// table holds, where that is known.
    async fn follow_on_one_session(
        &mut self,
        settings: &Settings,
        batch_no: &mut Option<i64>,
        outage: &mut Outage,
    ) -> Interruption {
        // `audit status` reads there how far it is: nothing is written to the database.
        let opened = Session::open_listening(settings, &name(*batch_no), BATCH_CHANNEL).await;
        let (mut session, mut notifications) = match opened {
            Ok(opened) => opened,
            Err(error) => return error.into(),
        };
        loop {
            let appended = self.append_and_wait(&mut session, &mut notifications, batch_no, outage);
            if let Err(interruption) = appended.await {
                return interruption;
            }
        }
    }

    async fn append_and_wait(
        &mut self,
        session: &mut Session,
        notifications: &mut Option<Notifications>,
        batch_no: &mut Option<i64>,
        outage: &mut Outage,
    ) -> Result<(), Interruption> {
        let ui = self.context.ui;
        let before = store::recorded_rows(session).await?;
        let appended = self.once(session).await?;
        // Opened anew for the next commit: nothing of the log so far stays in memory between them.
        self.table = None;
        *batch_no = Some(appended.batch_no);
        outage.end(appended.batch_no, ui);
        if appended.rows > 0 {
            ui.status(&said(&appended, self.args.delta.as_deref().unwrap_or_default()));
        }
        session.call_itself(&name(*batch_no)).await?;
        self.wait(session, notifications, before).await
    }

    /// Waits until enough rows are new, or the first of them has waited for long.
    async fn wait(
        &self,
        session: &Session,
        notifications: &mut Option<Notifications>,
        before: i64,
    ) -> Result<(), Interruption> {
        let lost = |what: &str| Interruption::Lost(Failure::new(format!("the database {what}")));
        let longest = Duration::from_micros(self.args.max_wait.unsigned_abs());
        let mut since: Option<Instant> = None;
        loop {
            let recorded = tokio::time::timeout(ANSWER, store::recorded_rows(session)).await;
            let new = recorded.map_err(|_| lost("does not answer"))?? - before;
            if new >= self.args.min_rows {
                return Ok(());
            }
            if new > 0 && since.get_or_insert_with(Instant::now).elapsed() >= longest {
                return Ok(());
            }
            let left = since.map_or(longest, |since| longest.saturating_sub(since.elapsed()));
            let pause = left.min(ASK_AGAIN);
            match notifications {
                None => tokio::time::sleep(pause).await,
                Some(notifications) => {
                    let told = tokio::time::timeout(pause, notifications.changed()).await;
                    if matches!(told, Ok(Err(_))) {
                        return Err(lost("closed the connection"));
                    }
                }
            }
        }
    }
}

/// What the session calls itself.
fn name(batch_no: Option<i64>) -> String {
    match batch_no {
        Some(batch_no) => format!("audit lake {batch_no}"),
        None => "audit lake".to_owned(),
    }
}
