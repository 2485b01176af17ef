//! One request and its answers: librdkafka hands them over on a queue.
#![expect(unsafe_code, reason = "librdkafka's C interface")]

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use rdkafka::bindings;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;

use crate::kafka::Error;

/// librdkafka gives up on a request by itself; this much later, nothing comes any more.
const GRACE: Duration = Duration::from_secs(1);

/// Frees a librdkafka object when it goes out of scope.
pub(super) struct Owned<T>(pub(super) *mut T, pub(super) unsafe extern "C" fn(*mut T));

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the pointer came from the function that this destructor belongs to, and is
            // freed once.
            unsafe { (self.1)(self.0) }
        }
    }
}

/// A kind of request, and where its answers come. It lives no longer than its client.
pub(super) struct Request<'c> {
    client: *mut bindings::rd_kafka_t,
    lives: PhantomData<&'c ()>,
    pub(super) queue: Owned<bindings::rd_kafka_queue_t>,
    kind: bindings::rd_kafka_admin_op_t,
    what: &'static str,
    timeout: Duration,
    began: Instant,
}

impl<'c> Request<'c> {
    /// A request of this kind; `what` it asks for names it in errors.
    pub(super) fn new<C: ClientContext>(
        client: &'c Client<C>,
        kind: bindings::rd_kafka_admin_op_t,
        what: &'static str,
        timeout: Duration,
    ) -> Self {
        let client = client.native_ptr();
        // SAFETY: the client's pointer is valid as long as the client is borrowed.
        let queue = unsafe { bindings::rd_kafka_queue_new(client) };
        let queue = Owned(queue, bindings::rd_kafka_queue_destroy);
        Self { client, lives: PhantomData, queue, kind, what, timeout, began: Instant::now() }
    }

    pub(super) fn client(&self) -> *mut bindings::rd_kafka_t {
        self.client
    }

    /// Options with the timeout, and a number by which the answer is recognised.
    pub(super) fn options(&self, number: usize) -> Owned<bindings::rd_kafka_AdminOptions_t> {
        let milliseconds = i32::try_from(self.timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the options are this function's own; the number travels as a pointer that nothing
        // follows.
        unsafe {
            let options = bindings::rd_kafka_AdminOptions_new(self.client(), self.kind);
            bindings::rd_kafka_AdminOptions_set_request_timeout(
                options,
                milliseconds,
                std::ptr::null_mut(),
                0,
            );
            bindings::rd_kafka_AdminOptions_set_opaque(
                options,
                std::ptr::without_provenance_mut::<c_void>(number),
            );
            Owned(options, bindings::rd_kafka_AdminOptions_destroy)
        }
    }

    /// Waits for the next answer.
    pub(super) fn answer(&self) -> Result<Owned<bindings::rd_kafka_event_t>, Error> {
        let left = (self.timeout + GRACE).saturating_sub(self.began.elapsed());
        let left = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is this request's own.
        let event = unsafe { bindings::rd_kafka_queue_poll(self.queue.0, left) };
        if event.is_null() {
            return Err(self.failed(RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT));
        }
        Ok(Owned(event, bindings::rd_kafka_event_destroy))
    }

    /// What an error of librdkafka means for this request.
    pub(super) fn failed(&self, code: RDKafkaRespErr) -> Error {
        let source = KafkaError::AdminOp(code.into());
        Error::Client { what: format!("asking for {}", self.what), source }
    }
}

/// The code of an answer as a whole.
pub(super) fn code_of(event: &Owned<bindings::rd_kafka_event_t>) -> RDKafkaRespErr {
    // SAFETY: the event is there until it is dropped.
    unsafe { bindings::rd_kafka_event_error(event.0) }
}

/// A text of librdkafka's, copied; a null pointer is an empty one.
///
/// # Safety
/// The pointer is null, or that of a text which ends with a null byte.
pub(super) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}
