//! Shows lines in the place of those before them.

use std::io::{self, Write};

/// Home. A line that is too long is cut, not wrapped: the screen would scroll.
const BEGIN: &str = "\x1b[?7l\x1b[H";
/// Clears what an older, longer line left behind.
const END_OF_LINE: &str = "\x1b[K\n";
/// Clears what is below, and wraps again.
const END: &str = "\x1b[J\x1b[?7h";

/// Writes each line over the old one, so that nothing flickers.
pub(super) fn repaint(lines: &[String], output: &mut dyn Write) -> io::Result<()> {
    output.write_all(BEGIN.as_bytes())?;
    for line in lines {
        write!(output, "{line}{END_OF_LINE}")?;
    }
    output.write_all(END.as_bytes())?;
    output.flush()
}
