//! A program on a terminal: a pseudo-terminal that controls it, as a shell's does.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wait_until;

/// Nothing here takes so long; a test that waits in vain ends.
const LIMIT: Duration = Duration::from_secs(60);

/// What a person has in front of them: a program that runs, what it wrote to the terminal so far,
/// and a keyboard.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts a program on a terminal that is so many columns wide. The environment is a plain one:
    /// no pager, colours as they come.
    pub(crate) fn start(mut command: Command, columns: u16) -> Self {
        for name in ["COLUMNS", "LINES", "LESS", "NO_COLOR"] {
            // What the test itself sets stays.
            if !command.get_envs().any(|(set, _)| set == name) {
                command.env_remove(name);
            }
        }
        for (name, value) in [("TERM", "xterm-256color"), ("PAGER", "cat")] {
            if !command.get_envs().any(|(set, _)| set == name) {
                command.env(name, value);
            }
        }
        let opened = pty_process::blocking::open().and_then(|(pty, pts)| {
            pty.resize(pty_process::Size::new(40, columns))?;
            Ok((pty_process::blocking::Command::from(command).spawn(pts)?, pty))
        });
        let (child, pty) = match opened {
            Ok(opened) => opened,
            Err(error) => panic!("no terminal: {error}"),
        };
        let keyboard = File::from(OwnedFd::from(pty));
        let screen = Arc::new(Mutex::new(Vec::new()));
        let reader = keyboard.try_clone().map(|mut output| {
            let screen = Arc::clone(&screen);
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                // The kernel reports an error where the last program has gone: that is the end.
                while let Ok(count @ 1..) = output.read(&mut buffer) {
                    screen.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..count]);
                }
            })
        });
        Self { child, keyboard, screen, reader: reader.ok() }
    }

    /// Everything that was written so far.
    pub(crate) fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&screen).into_owned()
    }

    /// Waits until a text was written.
    pub(crate) fn wait_for(&self, text: &str) {
        let began = Instant::now();
        while !self.screen().contains(text) {
            assert!(
                began.elapsed() < LIMIT,
                "'{text}' never came; what came is\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Presses keys: `\u{3}` is Ctrl-C, `\r` is Enter.
    pub(crate) fn press(&mut self, keys: &str) {
        assert!(
            self.keyboard.write_all(keys.as_bytes()).is_ok(),
            "nobody has the terminal any more"
        );
    }

    /// Waits for the program's end, and gives all that it wrote.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let mut status = None;
        wait_until(&format!("its end; its screen:\n{}", self.screen()), LIMIT, || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        });
        // Programs that outlive it and keep the terminal would keep the reader waiting, too.
        let read = self.reader.take().map(|reader| {
            wait_until("that nobody has the terminal any more", LIMIT, || reader.is_finished());
            reader.join()
        });
        assert!(matches!(read, Some(Ok(()))), "the terminal could not be read");
        match status {
            Some(status) => (status, self.screen()),
            None => panic!("it has no end"),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
