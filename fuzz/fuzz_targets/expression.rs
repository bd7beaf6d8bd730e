//! Any text is a condition that has a truth, or a mistake with a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, [f64; 9])| {
    let (text, values) = input;
    match allometry_core::space::constraint(&text, &allometry_core::SearchSpace::default()) {
        Ok(condition) => {
            let truth = condition.holds(&values);
            let again = allometry_core::space::constraint(&condition.to_string(), &allometry_core::SearchSpace::default()).expect("it reads as it is written");
            assert_eq!(again.holds(&values), truth);
        }
        Err(error) => assert!(text.get(error.span).is_some()),
    }
});
