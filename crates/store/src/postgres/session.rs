//! Connections, and transactions that outlive them.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use postgres::{Client, Row, SimpleQueryMessage, Statement};

use super::failure::Failure;
use super::target::Target;
use crate::error::StoreError;

/// First pause between two attempts; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Most connections of one store.
const CONNECTIONS: usize = 8;

/// Values of a statement's parameters.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A transaction in progress.
pub(super) struct Db<'a> {
    client: &'a mut Client,
    statements: &'a mut HashMap<String, Statement>,
}

impl Db<'_> {
    fn statement(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn query(&mut self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql)?;
        Ok(self.client.query(&statement, values)?)
    }

    /// The first row, if any.
    pub(super) fn first(&mut self, sql: &str, values: Values<'_>) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Calls `take` with each row as it comes.
    pub(super) fn each(
        &mut self,
        sql: &str,
        values: Values<'_>,
        mut take: impl FnMut(&Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let statement = self.statement(sql)?;
        let mut rows = self.client.query_raw(&statement, values.iter().copied())?;
        while let Some(row) = rows.next()? {
            take(&row)?;
        }
        Ok(())
    }

    pub(super) fn execute(&mut self, sql: &str, values: Values<'_>) -> Result<u64, Failure> {
        let statement = self.statement(sql)?;
        Ok(self.client.execute(&statement, values)?)
    }

    /// Several statements without parameters at once.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql)?)
    }
}

struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    /// Name in `allometry_writers`.
    writer: String,
    commits: i64,
}

/// A commit that may or may not have taken effect.
struct Doubtful {
    writer: String,
    commit: i64,
}

enum Outcome<T> {
    Done(T),
    Failed(Failure),
    /// The connection was lost while it committed what would have this result.
    Doubtful(T, Doubtful),
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Sees one state of the database.
    Read,
    /// Sees at each statement what others have committed, and is committed once.
    Write,
    /// As [`Self::Write`], without a name in the table of writers, which may not be there yet.
    Migrate,
}

#[derive(Default)]
struct Idle {
    sessions: Vec<Session>,
    lent: usize,
}

/// The connections of one store.
pub(super) struct Pool {
    target: Target,
    /// How long a call goes on trying to reach a server that went away.
    patience: Duration,
    idle: Mutex<Idle>,
    returned: Condvar,
}

/// A connection while it is used; its place in the pool becomes free with it.
struct Lent<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.pool.idle();
        idle.lent -= 1;
        // A panic left its transaction open: it ends with the connection.
        idle.sessions.extend(self.session.take().filter(|_| !thread::panicking()));
        drop(idle);
        self.pool.returned.notify_one();
    }
}

impl Pool {
    pub(super) fn new(target: Target, patience: Duration) -> Self {
        Self { target, patience, idle: Mutex::default(), returned: Condvar::new() }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self) -> Lent<'_> {
        let mut idle = self.idle();
        while idle.lent >= CONNECTIONS {
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
        idle.lent += 1;
        Lent { session: idle.sessions.pop(), pool: self }
    }

    fn connect(&self) -> Result<Session, Failure> {
        let mut client = self.target.connect()?;
        let name = "SELECT md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text)";
        let answer = client.simple_query(name)?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let writer = row.expect("a query of one value has one").to_owned();
        Ok(Session { client, statements: HashMap::new(), writer, commits: 0 })
    }

    /// Connects for the first time: a server that only just starts is waited for, one that is not there is not.
    ///
    /// # Errors
    /// [`StoreError`] that says why nobody gets in.
    pub(super) fn open(&self) -> Result<(), StoreError> {
        let deadline = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect() {
                Ok(session) => {
                    self.idle().sessions.push(session);
                    return Ok(());
                }
                Err(failure) if failure.is_starting() && Instant::now() < deadline => wait(&mut pause),
                Err(failure) => return Err(self.target.error(failure)),
            }
        }
    }

    /// Runs `body` in one transaction: its whole effect is kept, once, or none. Where the connection is lost it is run
    /// again on another one, unless the lost one did commit.
    ///
    /// # Errors
    /// What the body fails with; [`StoreError::Unreachable`] once the server has been away for too long.
    pub(super) fn transaction<T>(
        &self,
        mode: Mode,
        mut body: impl FnMut(&mut Db<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut lent = self.lend();
        let mut deadline = None;
        let mut pause = FIRST_PAUSE;
        let mut doubtful: Option<(T, Doubtful)> = None;
        loop {
            let failure = match self.attempt(&mut lent.session, mode, &mut doubtful, &mut body) {
                Outcome::Done(value) => return Ok(value),
                Outcome::Doubtful(value, commit) => {
                    doubtful = Some((value, commit));
                    lent.session = None;
                    continue;
                }
                Outcome::Failed(failure) => failure,
            };
            let lost = failure.is_lost();
            if !lost && !failure.is_conflict() {
                return Err(self.target.error(failure));
            }
            if lost {
                lent.session = None;
                // Its neighbours were lost with it.
                self.idle().sessions.clear();
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.patience);
            if Instant::now() >= deadline {
                return Err(self.target.error(failure));
            }
            wait(&mut pause);
        }
    }

    fn attempt<T>(
        &self,
        kept: &mut Option<Session>,
        mode: Mode,
        doubtful: &mut Option<(T, Doubtful)>,
        body: &mut impl FnMut(&mut Db<'_>) -> Result<T, Failure>,
    ) -> Outcome<T> {
        let session = match kept {
            Some(session) => session,
            None => match self.connect() {
                Ok(session) => kept.insert(session),
                Err(failure) => return Outcome::Failed(failure),
            },
        };
        if let Some((_, commit)) = doubtful {
            match session.took_effect(commit) {
                Ok(true) => {
                    let (value, _) = doubtful.take().expect("it was there just now");
                    return Outcome::Done(value);
                }
                Ok(false) => *doubtful = None,
                Err(failure) => return Outcome::Failed(failure),
            }
        }
        session.run(mode, body)
    }
}

fn wait(pause: &mut Duration) {
    thread::sleep(*pause);
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}

impl Session {
    fn run<T>(&mut self, mode: Mode, body: &mut impl FnMut(&mut Db<'_>) -> Result<T, Failure>) -> Outcome<T> {
        let begin = match mode {
            Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Mode::Write | Mode::Migrate => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        if let Err(error) = self.client.batch_execute(begin) {
            return Outcome::Failed(error.into());
        }
        let mut db = Db { client: &mut self.client, statements: &mut self.statements };
        let value = match body(&mut db) {
            Ok(value) => value,
            Err(failure) => {
                if let Err(error) = self.client.batch_execute("ROLLBACK") {
                    return Outcome::Failed(error.into());
                }
                return Outcome::Failed(failure);
            }
        };
        self.commits += 1;
        let commit = match mode {
            Mode::Read | Mode::Migrate => "COMMIT".to_owned(),
            Mode::Write => format!(
                "INSERT INTO allometry_writers (writer, last_commit, at) VALUES ('{}', {}, now())
                 ON CONFLICT (writer) DO UPDATE SET last_commit = excluded.last_commit, at = excluded.at;
                 COMMIT",
                self.writer, self.commits
            ),
        };
        match self.client.batch_execute(&commit).map_err(Failure::from) {
            Ok(()) => Outcome::Done(value),
            Err(failure) if failure.is_lost() => {
                if mode == Mode::Write {
                    let doubtful = Doubtful { writer: self.writer.clone(), commit: self.commits };
                    return Outcome::Doubtful(value, doubtful);
                }
                Outcome::Failed(failure)
            }
            Err(failure) => {
                if let Err(error) = self.client.batch_execute("ROLLBACK") {
                    return Outcome::Failed(error.into());
                }
                Outcome::Failed(failure)
            }
        }
    }

    /// Whether a commit of a lost connection took effect; if not, it never will.
    fn took_effect(&mut self, Doubtful { writer, commit }: &Doubtful) -> Result<bool, Failure> {
        // The row is locked by the lost connection for as long as it may still commit.
        let row = self.client.query_one(
            "INSERT INTO allometry_writers (writer, last_commit, fence, at) VALUES ($1, $2::bigint - 1, $2::bigint, now())
             ON CONFLICT (writer) DO UPDATE SET
             fence = CASE WHEN allometry_writers.last_commit < $2::bigint THEN $2::bigint END RETURNING last_commit",
            &[writer, commit],
        )?;
        Ok(row.get::<_, i64>(0) == *commit)
    }
}
