//! A program and everything it starts, which ends with it: a browser outlives a driver that is killed, and a test that
//! fails closes nothing.

use std::process::{Child, Command, Stdio};

/// A started program; when dropped it is killed with all that descends from it.
pub struct Family(pub Child);

impl Family {
    /// Starts it.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self(command.spawn()?))
    }
    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        let mut all = vec![self.id().to_string()];
        let mut looked = 0;
        while let Some(one) = all.get(looked) {
            all.extend(children(one));
            looked += 1;
        }
        // The shell has `kill` built in; as a program it is not everywhere.
        let line = format!("kill -KILL {}", all.join(" "));
        Command::new("sh").args(["-c", &line]).stderr(Stdio::null()).status().ok();
        self.0.wait().ok();
    }
}

/// The processes that a process has started.
pub fn children(process: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let listed = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    listed.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};

    #[test]
    fn a_browser_whose_test_failed_is_not_left_behind() {
        let script = "sleep infinity & echo started; wait";
        let mut command = Command::new("sh");
        let mut family = Family::start(command.args(["-c", script]).stdout(Stdio::piped())).unwrap();
        let mut told = BufReader::new(family.0.stdout.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        assert_eq!(children(&family.id().to_string()).len(), 1, "it started another");
        drop(family);
        // Both hold the other end; it is closed when neither lives any more, however late the second one dies.
        let rest = told.read_to_string(&mut line).unwrap();
        assert_eq!((rest, line.as_str()), (0, "started\n"));
    }
}
