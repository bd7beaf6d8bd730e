//! Connection pool, and transactions that survive the loss of a connection.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use postgres::{Client, Row, SimpleQueryMessage, Statement};

use super::target::Target;
use crate::error::StoreError;
use crate::failure::Failure;

/// First pause between two attempts; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Default maximum number of connections of a store.
const CONNECTIONS: usize = 8;

/// Disables just-in-time compilation, which takes longer than any of the statements.
const NO_COMPILING: &str = "SET jit = off";

/// Lets the server end transactions and connections of clients that were suspended or cut off. Such a client
/// would otherwise hold its locks for hours; a client that comes back runs its transaction again.
const END_SILENT_CLIENTS: &str = "SET idle_in_transaction_session_timeout = '10s';
    SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 20; SET tcp_keepalives_count = 3";

/// Values of a statement's parameters.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// An open transaction, or a connection in autocommit mode.
pub(super) struct Db<'a> {
    client: &'a mut Client,
    statements: &'a mut HashMap<String, Statement>,
}

/// Identity of a commit, stored under its connection's name in `allometry_writers`.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) writer: String,
    pub(super) number: i64,
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

    /// Returns the first row, if any.
    pub(super) fn first(&mut self, sql: &str, values: Values<'_>) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Calls `take` with each row as it arrives.
    pub(super) fn each(
        &mut self,
        sql: &str,
        values: Values<'_>,
        mut take: impl FnMut(Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let statement = self.statement(sql)?;
        let mut rows = self.client.query_raw(&statement, values.iter().copied())?;
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }

    pub(super) fn execute(&mut self, sql: &str, values: Values<'_>) -> Result<u64, Failure> {
        let statement = self.statement(sql)?;
        Ok(self.client.execute(&statement, values)?)
    }

    /// Runs several statements without parameters.
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

enum Outcome<T> {
    Done(T),
    Failed(Failure),
    /// The connection was lost during a commit; if the commit took effect, this is its result.
    Doubtful(T, Commit, Failure),
}

/// The kind of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Repeatable read: sees one state of the database.
    Read,
    /// Read committed, with a named commit that takes effect once.
    Write,
    /// Read committed without a name, because the table of writers may not exist yet.
    Migrate,
}

#[derive(Default)]
struct Idle {
    sessions: Vec<Session>,
    lent: usize,
}

/// Connections of one store.
pub(super) struct Pool {
    target: Target,
    /// Time for which a call tries to reach a server that does not answer.
    patience: Duration,
    /// Statements that initialise every connection.
    settings: &'static str,
    /// Statements that create views over the tables of a former revision, if the database has one.
    views: OnceLock<String>,
    /// Maximum number of connections at the same time.
    most: usize,
    idle: Mutex<Idle>,
    returned: Condvar,
}

/// A connection in use; its slot in the pool is freed on drop.
struct Lent<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.pool.idle();
        idle.lent -= 1;
        // After a panic the transaction is still open: closing the connection ends it.
        idle.sessions.extend(self.session.take().filter(|_| !thread::panicking()));
        drop(idle);
        self.pool.returned.notify_one();
    }
}

impl Pool {
    pub(super) fn new(target: Target, patience: Duration) -> Self {
        Self {
            target,
            patience,
            settings: NO_COMPILING,
            views: OnceLock::new(),
            most: CONNECTIONS,
            idle: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Sets the initial statements and the maximum number of all connections made from now on.
    pub(super) fn with_settings(self, settings: &'static str, most: usize) -> Self {
        self.idle().sessions.clear();
        Self { settings, most, ..self }
    }

    /// Creates `views` on every connection from now on.
    pub(super) fn set_views(&self, views: String) {
        self.views.get_or_init(|| views);
        self.idle().sessions.clear();
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self) -> Lent<'_> {
        let mut idle = self.idle();
        while idle.lent >= self.most {
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
        idle.lent += 1;
        Lent { session: idle.sessions.pop(), pool: self }
    }

    fn connect(&self) -> Result<Session, Failure> {
        let mut client = self.target.connect()?;
        client.batch_execute(self.settings)?;
        client.batch_execute(END_SILENT_CLIENTS)?;
        if let Some(views) = self.views.get() {
            client.batch_execute(views)?;
        }
        let name = "SELECT md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text)";
        let answer = client.simple_query(name)?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let writer = row.expect("a query of one value has one").to_owned();
        Ok(Session { client, statements: HashMap::new(), writer, commits: 0 })
    }

    /// Connects for the first time. Waits for a server that is starting up, but not for one that does not
    /// answer.
    ///
    /// # Errors
    /// [`StoreError`] where the server does not answer or refuses the connection.
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

    /// Runs `body` in one transaction, whose effect occurs once or not at all. If the connection is lost,
    /// runs it again on a new one, unless the lost commit took effect.
    ///
    /// # Errors
    /// Errors of the body; [`StoreError::Unreachable`] after the server has been away for too long.
    pub(super) fn transaction<T>(
        &self,
        mode: Mode,
        mut body: impl FnMut(&mut Db<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.until_done(|session| session.run(mode, &mut body))
    }

    /// Runs one read statement, which sees one state of the database without an explicit transaction.
    ///
    /// # Errors
    /// Those of [`Self::transaction`].
    pub(super) fn query<T>(
        &self,
        mut body: impl FnMut(&mut Db<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.until_done(|session| match body(&mut session.db()) {
            Ok(value) => Outcome::Done(value),
            Err(failure) => Outcome::Failed(failure),
        })
    }

    /// Runs a `body` whose first statement writes both its data and the commit under its writer's name, which
    /// needs a third of the messages of an explicit transaction. The effect occurs once: if the connection is
    /// lost after the commit took effect, the result is `done`.
    ///
    /// # Errors
    /// Those of [`Self::transaction`].
    pub(super) fn statement<T: Clone>(
        &self,
        done: &T,
        mut body: impl FnMut(&mut Db<'_>, &Commit) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.until_done(|session| {
            let commit = session.next_commit();
            match body(&mut session.db(), &commit) {
                Ok(value) => Outcome::Done(value),
                Err(failure) if failure.is_lost() => Outcome::Doubtful(done.clone(), commit, failure),
                Err(failure) => Outcome::Failed(failure),
            }
        })
    }

    /// Retries `run` until it succeeds, fails for a reason that a retry cannot mend, or the server has been
    /// away for too long.
    fn until_done<T>(&self, mut run: impl FnMut(&mut Session) -> Outcome<T>) -> Result<T, StoreError> {
        let mut lent = self.lend();
        let mut deadline = None;
        let mut pause = FIRST_PAUSE;
        let mut doubtful: Option<(T, Commit)> = None;
        loop {
            let failure = match self.attempt(&mut lent.session, &mut doubtful, &mut run) {
                Outcome::Done(value) => return Ok(value),
                Outcome::Doubtful(value, commit, failure) => {
                    doubtful = Some((value, commit));
                    failure
                }
                Outcome::Failed(failure) => failure,
            };
            let lost = failure.is_lost();
            if !lost && !failure.is_conflict() {
                return Err(self.target.error(failure));
            }
            if lost {
                lent.session = None;
                // The other idle connections to the server are lost as well.
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
        doubtful: &mut Option<(T, Commit)>,
        run: &mut impl FnMut(&mut Session) -> Outcome<T>,
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
        run(session)
    }
}

fn wait(pause: &mut Duration) {
    thread::sleep(*pause);
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}

impl Session {
    fn db(&mut self) -> Db<'_> {
        Db { client: &mut self.client, statements: &mut self.statements }
    }

    fn next_commit(&mut self) -> Commit {
        self.commits += 1;
        Commit { writer: self.writer.clone(), number: self.commits }
    }

    fn run<T>(&mut self, mode: Mode, body: &mut impl FnMut(&mut Db<'_>) -> Result<T, Failure>) -> Outcome<T> {
        let begin = match mode {
            Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Mode::Write | Mode::Migrate => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        if let Err(error) = self.client.batch_execute(begin) {
            return Outcome::Failed(error.into());
        }
        let value = match body(&mut self.db()) {
            Ok(value) => value,
            Err(failure) => {
                if let Err(error) = self.client.batch_execute("ROLLBACK") {
                    return Outcome::Failed(error.into());
                }
                return Outcome::Failed(failure);
            }
        };
        let commit = self.next_commit();
        let statements = match mode {
            Mode::Read | Mode::Migrate => "COMMIT".to_owned(),
            Mode::Write => format!(
                "INSERT INTO allometry_writers (writer, last_commit, at) VALUES ('{}', {}, now())
                 ON CONFLICT (writer) DO UPDATE SET last_commit = excluded.last_commit, at = excluded.at;
                 COMMIT",
                commit.writer, commit.number
            ),
        };
        match self.client.batch_execute(&statements).map_err(Failure::from) {
            Ok(()) => Outcome::Done(value),
            Err(failure) if failure.is_lost() => {
                if mode == Mode::Write {
                    return Outcome::Doubtful(value, commit, failure);
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

    /// Whether a commit of a lost connection took effect; if it did not, it never will.
    fn took_effect(&mut self, Commit { writer, number }: &Commit) -> Result<bool, Failure> {
        // The lost connection holds the lock of this row as long as it can still commit.
        let row = self.client.query_one(
            "INSERT INTO allometry_writers (writer, last_commit, fence, at)
             VALUES ($1, $2::bigint - 1, $2::bigint, now()) ON CONFLICT (writer) DO UPDATE SET
             fence = CASE WHEN allometry_writers.last_commit < $2::bigint THEN $2::bigint END
             RETURNING last_commit",
            &[writer, number],
        )?;
        Ok(row.get::<_, i64>(0) == *number)
    }
}
