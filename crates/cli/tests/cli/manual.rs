//! Tests of completions and manual pages.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{printed, refused, run};

#[test]
fn shells_complete_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, err) = run(folder.path(), &["completions", shell]);
        assert_eq!(code, 0, "{err}");
        assert!(["import", "export", "report", "init"].iter().all(|name| out.contains(name)), "{shell}");
    }
    assert_eq!(run(folder.path(), &["completions", "sh"]).0, 2);
    let script = run(folder.path(), &["completions", "bash"]).1;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success(), "the script is one of bash");
}

#[test]
fn commands_have_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    let (code, page, err) = run(folder.path(), &["man"]);
    assert_eq!(code, 0, "{err}");
    assert!(page.starts_with(".ie") && page.contains(".TH allometry"), "{page}");
    let roman = |text: &str| text.replace('-', "\\-").replace('\'', "\\*(Aq");
    let help = run(folder.path(), &["--help"]).1;
    let told = help.lines().take_while(|line| *line != "Options:").filter_map(|line| line.strip_prefix("  "));
    for line in told {
        let (name, about) = line.split_once(' ').unwrap();
        let line = format!("allometry\\-{name}(1)\n{}", roman(about.trim_start()));
        assert!(name == "help" || page.contains(&line), "{line}: {page}");
    }
    for part in [".SH EXAMPLES", "allometry demo", ".SH \"EXIT STATUS\"", "128 + N"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (code, page, err) = run(folder.path(), &["man", "import"]);
    assert_eq!(code, 0, "{err}");
    assert!(page.contains("allometry\\-import") && page.contains("SOURCE"), "{page}");
    let (code, page, err) = run(folder.path(), &["man", "init"]);
    assert_eq!(code, 0, "{err}");
    assert!(page.contains("allometry\\-init") && page.contains("TABLE"), "{page}");
    assert!(page.contains("Write ladder.toml for a table:\n.RS 4\nallometry init prices.csv\n.RE"), "{page}");
    insta::assert_snapshot!(refused(folder.path(), &["man", "fly"]), @r#"
    $ allometry man fly
    error: there is no command "fly"
    hint: there are init, check, run, worker, confirm, plan, transfer, train, predict, explain, demo, \
    status, list, show, best, report, compare, fit, serve, ask, tell, enqueue, sampler, import, export, \
    completions, man, help
    exit code 2
    "#);
}

#[test]
fn help_lists_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(printed(folder.path(), &["--help"]), @"
    $ allometry --help
    Tunes a model at several parameter budgets and reports, with its uncertainty, what scale buys.

    A ladder file names the data or a program, the search space and the sizes. `allometry init` writes
    one for a table, `allometry check` shows what it asks for, and `allometry run` searches every size
    and writes the report. The trials are in a database that Optuna's tools open.

    Usage: allometry <COMMAND>

    Search:
      init         Writes a commented ladder file for a table, to start from
      check        Validates a ladder file and its data; shows each budget's space
      run          Runs or resumes the study of every budget and writes the report
      worker       Evaluates trials of a ladder that `allometry run` runs elsewhere
      plan         Says which trials are worth running next, and why
      confirm      Trains the best configurations again and scores them on test rows
      transfer     Trains each budget's best configurations at every other budget
      train        Trains one configuration of a budget and writes a checkpoint
      predict      Applies a checkpoint to a table and writes the predictions as CSV
      explain      Says how much a model uses each feature and part of its window
      demo         Runs a ladder of three budgets on generated data

    Look:
      status       Prints the progress of each study
      list         Lists the trials of each study
      show         Prints all data of one trial
      best         Prints each study's best trial and recommended configuration
      report       Analyses trials and writes the report
      compare      Compares two ladders, such as before and after a change
      fit          Fits the loss over weights, data or compute, and forecasts it
      serve        Serves a live web page with the ladders and studies of a storage

    Drive from outside:
      ask          Starts a trial for another program and prints its configuration
      tell         Ends a trial of `allometry ask`, with a value or without one
      enqueue      Adds configurations to the queue of a study
      sampler      Proposes configurations to another program by JSON lines

    Data in and out:
      import       Copies studies into a storage
      export       Copies studies to a storage or file, or a model to an ONNX file

    Other:
      completions  Prints a script that completes commands and options in a shell
      man          Prints the manual page of the program or of a command
      help         Prints this help, or that of a command

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Examples:
      See a whole ladder in a minute, on generated data:
        allometry demo
      Search your own table at several sizes:
        allometry init prices.csv && allometry check && allometry run

    Exit codes:
      0        the command did what it was asked
      1        the program or the machine failed
      2        the command line is wrong
      3        the ladder file, the search space or the data is wrong
      4        something that was named is not there or cannot be read
      5        the storage cannot be used
      6        trials failed
      7        a finding that `--fail-on` names was found
      128 + N  signal N ended the command; its state is saved
    ");
}

#[test]
fn short_help_lists_the_options_of_a_command() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(printed(folder.path(), &["run", "-h"]), @"
    $ allometry run -h
    Runs or resumes the study of every budget and writes the report

    Usage: allometry run [OPTIONS] [LADDER]

    Arguments:
      [LADDER]  The ladder file, or the folder of a ladder.toml [default: ladder.toml]

    Options:
      -S, --set <KEY=VALUE>        Overrides a setting of the file, such as model.epochs=20. May be
                                   repeated
          --storage <URL>          Storage of the trials, such as sqlite:///trials.db or
                                   postgresql://user@host/database [env: ALLOMETRY_STORAGE]
          --device <KIND>          Device that trains the built-in model; overrides the ladder file. The
                                   kind wgpu requires a program built with --features gpu [possible
                                   values: cpu, wgpu]
          --precision <PRECISION>  Precision of the built-in model's matrix products; overrides the
                                   ladder file. `auto` is bf16 on processors with AMX, where a training
                                   step in bf16 takes about half the time, and f32 on others [possible
                                   values: auto, f32, bf16]
          --budget <LABEL>         Runs only this budget. May be repeated
          --trials <N>             Complete trials per budget; overrides the ladder file
      -w, --workers <N>            Number of trials evaluated at the same time; the built-in model uses
                                   one thread per trial. Default: the number of cores, or of --devices
                                   for a command
          --devices <LIST>         Devices for a command's trials, such as 0,1. Each trial is given one
                                   in CUDA_VISIBLE_DEVICES
          --lease <TIME>           Time without a heartbeat after which the running trials of a process
                                   count as lost [default: 1m]
          --retries <N>            How often a trial is repeated after its process died; with 0 it stays
                                   failed [default: 3]
          --smallest-effect <X>    Smallest difference of the metric that matters, in units of the
                                   metric, such as 0.002. Overrides `smallest_effect` of the ladder file
          --plan <AIM>             After the search, trains on the test rows what `allometry plan --for
                                   verdict` says, in rounds, until the verdict is decided, not
                                   decidable, or the plan has been spent. Replaces the confirmation of
                                   the ladder file [possible values: verdict]
          --plan-trainings <N>     Cost of a plan for the verdict, in trainings of every budget. It is
                                   fixed when the plan begins
          --until <TIME>           Starts no new trial after this time, such as 90m or 2h
          --allow-space-change     Resumes a study whose search space has changed. Trials outside the
                                   new space stay in the storage but are no longer counted
          --no-summary             Prints no summary of the report at the end
          --json                   Prints one JSON document at the end instead of the summary: how each
                                   study ended, the verdict, the configuration to take from each budget
                                   and the next command
      -q, --quiet                  Prints errors only
      -h, --help                   Print help (see more with '--help')
      -V, --version                Print version

    Examples:
      Run the ladder.toml of this folder, or continue it:
        allometry run
      Start no trial after two hours:
        allometry run --until 2h
      Run the program of a ladder on two graphics processors:
        allometry run ladder.toml --devices 0,1 --workers 2
    ");
    insta::assert_snapshot!(printed(folder.path(), &["init", "-h"]), @"
    $ allometry init -h
    Writes a commented ladder file for a table, to start from

    Usage: allometry init [OPTIONS] <TABLE>

    Arguments:
      <TABLE>  The table: a .csv or .parquet file with one row per time step

    Options:
      -o, --output <FILE>   The ladder file to write, or the folder of a ladder.toml [default:
                            ladder.toml]
          --label <COLUMN>  Column to predict: 0 and 1, classes counted from 0, or any numbers
          --time <COLUMN>   Column that orders the rows
          --trials <N>      Number of trials per budget [default: 24]
          --force           Overwrites an existing ladder file
      -h, --help            Print help (see more with '--help')
      -V, --version         Print version

    Examples:
      Write ladder.toml for a table:
        allometry init prices.csv
      Say which column is predicted and which orders the rows:
        allometry init prices.csv --label up --time date --trials 40
    ");
}

#[test]
fn long_help_explains_a_command() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(printed(folder.path(), &["best", "--help"]), @"
    $ allometry best --help
    Prints each study's best trial and recommended configuration.

    With several objectives it prints the Pareto front. Trials that break a constraint are left out.
    Under noise the best value is often luck, so the command also prints the configuration whose mean
    over seeds is probably the best, with the interval of that mean.

    Usage: allometry best [OPTIONS] [SOURCE]...

    Arguments:
      [SOURCE]...
              Where the studies are: a ladder file (or its folder), a storage URL, a database, journal
              or table, or LABEL=FILE:STUDY. Several may be given if each holds one study. Default:
              $ALLOMETRY_STORAGE if set, else ladder.toml

    Options:
          --study <LABEL>
              Label of the study's budget, or name of the study

              [alias: --budget]

          --metric <[LABEL=]NAME>
              Name of the metric in the report, and of the column or field that holds its values in a
              table. With LABEL=NAME it applies to one source

          --direction <[LABEL=]DIRECTION>
              Whether larger or smaller values are better, maximize or minimize, if neither the source
              nor the name of the metric says so. With LABEL=DIRECTION it applies to one source. For
              several objectives give it once for each in order, or as NAME=DIRECTION

              [alias: --mode]

          --params <[LABEL=]NAMES>
              Columns or fields of a table that are hyperparameters, such as lr,depth; all others then
              count as metrics or attributes. With LABEL=NAMES it applies to one source

          --size <[LABEL=]NAME>
              Column, field or user attribute that holds the number of the model's weights. With
              LABEL=NAME it applies to one source

          --json
              Prints one JSON document

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Examples:
      Print the best of each budget:
        allometry best
      Print it for another program:
        allometry best ladder.toml --study 2M --json
    ");
}
