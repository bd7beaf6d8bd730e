//! Tests of `device` in a ladder and of `--device`: training on graphics processors, and the errors if that
//! is impossible.

#[cfg(feature = "gpu")]
use crate::support::run;
use crate::support::{all_refused, project};

#[cfg(not(feature = "gpu"))]
#[test]
fn a_program_without_support_says_so() {
    let folder = project();
    let calls = [
        &["run", "--device", "wgpu"][..],
        &["train", "--budget", "s", "--device", "wgpu"],
        &["check", "--set", "model.device=wgpu"],
        &["transfer", "--device", "wgpu"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r#"
    $ allometry run --device wgpu
    error: this program was built without support for `wgpu` devices
    hint: build with --features gpu, or set device = "cpu"
    exit code 4

    $ allometry train --budget s --device wgpu
    error: this program was built without support for `wgpu` devices
    hint: build with --features gpu, or set device = "cpu"
    exit code 4

    $ allometry check --set model.device=wgpu
    error: this program was built without support for `wgpu` devices
    hint: build with --features gpu, or set device = "cpu"
    exit code 4

    $ allometry transfer --device wgpu
    error: this program was built without support for `wgpu` devices
    hint: build with --features gpu, or set device = "cpu"
    exit code 4
    "#);
}

#[test]
fn devices_that_do_not_exist_are_refused() {
    let folder = project();
    let calls = [&["run", "--set", "model.device=tpu"][..], &["run", "--device", "tpu"]];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @"
    $ allometry run --set model.device=tpu
    ladder::unknown_word

      × `device` cannot be `tpu`
       ╭─[--set:1:14]
     1 │ model.device=tpu
       ·              ─┬─
       ·               ╰── not known
       ╰────
      help: did you mean `cpu`? it can be `cpu`, `wgpu`
    exit code 3

    $ allometry run --device tpu
    error: invalid value 'tpu' for '--device <KIND>'
      [possible values: cpu, wgpu]

      tip: a similar value exists: 'cpu'

    For more information, try '--help'.
    exit code 2
    ");
}

#[cfg(feature = "gpu")]
mod with_a_device {
    use std::path::Path;

    use allometry_ladder::DeviceKind;

    use super::*;

    /// Returns whether there is a wgpu device; if not, `test` is visibly skipped.
    fn has_wgpu(test: &str) -> bool {
        match allometry_gpu::open(DeviceKind::Wgpu) {
            Ok(_) => true,
            Err(error) => {
                allometry_testkit::skip_absent(test, &error.to_string());
                false
            }
        }
    }

    fn values(folder: &Path) -> Vec<f64> {
        let of_study = |study: &str| {
            let (code, out, err) = run(folder, &["list", "--study", study, "--json"]);
            assert_eq!(code, 0, "{err}");
            let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
            let trials = listed["studies"][0]["trials"].as_array().unwrap().clone();
            trials.iter().map(|trial| trial["value"].as_f64().unwrap()).collect::<Vec<f64>>()
        };
        ["s", "l"].into_iter().flat_map(of_study).collect()
    }

    #[test]
    fn a_ladder_runs_on_a_device_and_goes_on_on_the_cpu() {
        if !has_wgpu("a_ladder_runs_on_a_device_and_goes_on_on_the_cpu") {
            return;
        }
        let (ours, theirs) = (project(), project());
        let (code, out, err) = run(ours.path(), &["check", "--device", "wgpu"]);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("trials are trained on wgpu: "), "{out}");

        let search = ["run", "--quiet", "--workers", "3", "--set", "sampler.kind=sobol"];
        let with = |more: &[&'static str]| search.iter().chain(more).copied().collect::<Vec<&str>>();
        let (code, _, err) = run(ours.path(), &with(&["--device", "wgpu", "--trials", "2"]));
        assert_eq!(code, 0, "{err}");
        // The CPU continues the studies and completes them.
        assert_eq!(run(ours.path(), &with(&["--trials", "3"])).0, 0);
        assert_eq!(run(theirs.path(), &with(&["--trials", "3"])).0, 0);
        let (ours, theirs) = (values(ours.path()), values(theirs.path()));
        assert_eq!(ours.len(), 6);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((ours - theirs).abs() < 5e-3, "{ours} and {theirs}");
        }
    }

    #[test]
    fn a_checkpoint_of_a_device_is_read_anywhere() {
        if !has_wgpu("a_checkpoint_of_a_device_is_read_anywhere") {
            return;
        }
        let folder = project();
        let train = |more: &[&str]| {
            let arguments: Vec<&str> =
                ["train", "--budget", "s", "--json", "-q"].iter().chain(more).copied().collect();
            run(folder.path(), &arguments)
        };
        let (code, out, err) = train(&["--device", "wgpu"]);
        assert_eq!(code, 0, "{err}");
        let (code, again, err) = train(&[]);
        assert_eq!(code, 0, "{err}");
        let value =
            |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["value"].as_f64().unwrap();
        assert!((value(&out) - value(&again)).abs() < 1e-6, "{out} {again}");
        let (code, _, err) = run(folder.path(), &["predict", "ladder.runs/s/train.safetensors", "data.csv"]);
        assert_eq!(code, 0, "{err}");
    }
}
