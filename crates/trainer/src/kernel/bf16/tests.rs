use proptest::prelude::*;

use super::super::available;
use super::*;

/// Returns the nearest bf16 number, of two equally near ones the one with an even last bit, by its
/// definition.
fn nearest(x: f32) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let wide = f64::from(x);
    // A bf16 number has 8 significant bits, the first of which is 2^exponent.
    let exponent = wide.abs().log2().floor();
    let unit = 2f64.powf(exponent - 7.0);
    (wide / unit).round_ties_even() * unit
}

/// Random numbers of one row-major matrix.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / 2f32.powi(23) - 1.0) * 2f32.powi((state >> 33) as i32 % 5 - 2)
    };
    (0..count).map(|_| next()).collect()
}

/// Computes `out = a b`.
fn multiply(products: &mut RoundedProducts, a: Matrix<'_, f32>, b: Matrix<'_, f32>, out: &mut [f32]) {
    products.multiply(a, (b, None), (out, ResultRows::All), &mut |_, _| {});
}

/// Checks a product by every instruction set of the machine, with factors that lie by rows or by columns.
fn check(rows: usize, depth: usize, columns: usize) {
    let a = numbers(rows as u64, rows * depth);
    let b = numbers(columns as u64 + 1, depth * columns);
    let rounded = |values: &[f32]| values.iter().map(|x| nearest(*x)).collect::<Vec<f64>>();
    let (exact_a, exact_b) = (rounded(&a), rounded(&b));
    let turned = |values: &[f32], rows: usize, columns: usize| -> Vec<f32> {
        (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect()
    };
    let (turned_a, turned_b) = (turned(&a, rows, depth), turned(&b, depth, columns));
    for set in available() {
        let mut products = RoundedProducts::new(set);
        for turn in 0..4 {
            let left = if turn & 1 == 0 {
                Matrix::new(&a, rows, depth)
            } else {
                Matrix::new(&turned_a, depth, rows).transposed()
            };
            let right = if turn & 2 == 0 {
                Matrix::new(&b, depth, columns)
            } else {
                Matrix::new(&turned_b, columns, depth).transposed()
            };
            // One number more, which must stay as it is.
            let mut out = vec![f32::NAN; rows * columns + 1];
            multiply(&mut products, left, right, &mut out);
            assert!(out[rows * columns].is_nan());
            for row in 0..rows {
                for column in 0..columns {
                    let (mut sum, mut magnitude) = (0.0, 0.0);
                    for k in 0..depth {
                        let term = exact_a[row * depth + k] * exact_b[k * columns + column];
                        sum += term;
                        magnitude += f64::abs(term);
                    }
                    let found = f64::from(out[row * columns + column]);
                    let allowed = depth as f64 * 2f64.powi(-24) * magnitude;
                    let place =
                        format!("{set}, {rows} x {depth} x {columns}, turn {turn}, [{row}, {column}]");
                    assert!((found - sum).abs() <= allowed, "{place}: {found} for {sum}");
                }
            }
        }
    }
}

#[test]
fn products_of_every_kind_of_shape_are_right() {
    for (rows, depth, columns) in [
        (1, 1, 1),
        (32, 32, 32),
        (33, 33, 33),
        (31, 64, 47),
        (64, 31, 32),
        (1, 100, 65),
        (65, 2, 1),
        (17, 95, 16),
        (96, 40, 130),
        (130, 40, 96),
        (64, 400, 16),
        (130, 700, 33),
    ] {
        check(rows, depth, columns);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn products_of_any_shape_are_right(rows in 1usize..80, depth in 1usize..80, columns in 1usize..80) {
        check(rows, depth, columns);
    }
}

#[test]
fn rows_that_overlap_are_packed_as_they_lie() {
    let series = numbers(3, 200);
    let b = numbers(4, 40 * 20);
    for set in available() {
        for step in [1, 3] {
            let rows: Vec<f32> = (0..50).flat_map(|row| series[row * step..][..40].to_vec()).collect();
            let (mut overlapping, mut apart) = (vec![0.0; 50 * 20], vec![0.0; 50 * 20]);
            let mut products = RoundedProducts::new(set);
            let b = Matrix::new(&b, 40, 20);
            multiply(&mut products, Matrix::overlapping(&series, 50, 40, step), b, &mut overlapping);
            multiply(&mut products, Matrix::new(&rows, 50, 40), b, &mut apart);
            assert_eq!(overlapping, apart, "{set}, {step}");
        }
    }
}

#[test]
fn numbers_that_are_none_or_infinite_stay_so() {
    // The largest number of single precision is nearer to the next power of 2, which bf16 does not have.
    for set in available() {
        for (given, expected) in [
            (f32::NAN, f32::NAN),
            (-f32::NAN, f32::NAN),
            (f32::INFINITY, f32::INFINITY),
            (f32::MAX, f32::INFINITY),
        ] {
            let mut out = [0.0];
            let (a, b) = ([given], [1.0]);
            let mut products = RoundedProducts::new(set);
            multiply(&mut products, Matrix::new(&a, 1, 1), Matrix::new(&b, 1, 1), &mut out);
            assert!(
                out[0] == expected || out[0].is_nan() && expected.is_nan(),
                "{set}: {given} to {}",
                out[0]
            );
        }
    }
}

#[test]
fn rows_are_finished_once_and_in_order() {
    let (rows, depth, columns) = (250, 20, 7);
    let (a, b) = (numbers(5, rows * depth), numbers(6, depth * columns));
    let (a, b) = (Matrix::new(&a, rows, depth), Matrix::new(&b, depth, columns));
    for set in available() {
        let mut products = RoundedProducts::new(set);
        let mut whole = vec![0.0; rows * columns];
        multiply(&mut products, a, b, &mut whole);
        for number in [None, Some(3), Some(3)] {
            for kept in [ResultRows::All, ResultRows::Group] {
                let (mut out, mut done) = (vec![0.0; rows * columns], 0);
                products.multiply(a, (b, number), (&mut out, kept), &mut |rows, results| {
                    assert_eq!(rows.start, done, "{set}");
                    let numbers = rows.start * columns..rows.end * columns;
                    let first = if kept == ResultRows::All { numbers.start } else { 0 };
                    assert_eq!(results[first..first + numbers.len()], whole[numbers], "{set}, {rows:?}");
                    done = rows.end;
                });
                assert_eq!(done, rows, "{set}");
            }
        }
    }
}
