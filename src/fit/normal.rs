//! Weighted least squares with few unknowns: normal equations, solved by Cholesky's factors.

/// A square matrix by rows.
pub type Matrix = Vec<Vec<f64>>;

/// The weighted normal equations of columns: `J' W^2 J`, and for a residual `J' W^2 r`.
#[derive(Clone, Debug)]
pub struct NormalEquations<'a> {
    columns: &'a [Vec<f64>],
    weights: &'a [f64],
    /// `J' W^2 J`, with what is known beforehand on the diagonal.
    matrix: Matrix,
}

impl<'a> NormalEquations<'a> {
    /// Of columns of the Jacobian; `prior` is added to the diagonal: what is known of each unknown beforehand, in the same weights.
    #[must_use]
    pub fn new(columns: &'a [Vec<f64>], weights: &'a [f64], prior: &[f64]) -> Self {
        let product = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).zip(weights).map(|((a, b), weight)| a * b * weight * weight).sum::<f64>()
        };
        let mut matrix: Matrix =
            columns.iter().map(|a| columns.iter().map(|b| product(a, b)).collect::<Vec<f64>>()).collect();
        for (place, prior) in prior.iter().enumerate() {
            matrix[place][place] += prior;
        }
        Self { columns, weights, matrix }
    }

    /// The unknowns that explain a residual best; none where the columns do not tell them apart.
    #[must_use]
    pub fn solve(&self, residual: &[f64]) -> Option<Vec<f64>> {
        self.with(residual, &vec![0.0; self.columns.len()])
    }

    /// The same, where what is known beforehand pulls with `pull`.
    #[must_use]
    pub fn with(&self, residual: &[f64], pull: &[f64]) -> Option<Vec<f64>> {
        let side = |column: &Vec<f64>| -> f64 {
            let rows = column.iter().zip(residual).zip(self.weights);
            rows.map(|((slope, residual), weight)| slope * residual * weight * weight).sum()
        };
        let right: Vec<f64> = self.columns.iter().map(side).zip(pull).map(|(side, pull)| side + pull).collect();
        solve(&self.matrix, &right)
    }
}

/// Solves a symmetric positive definite system; none where it is not one.
#[must_use]
pub fn solve(matrix: &Matrix, right: &[f64]) -> Option<Vec<f64>> {
    let factor = cholesky(matrix)?;
    let size = right.len();
    let mut found = right.to_vec();
    for row in 0..size {
        for column in 0..row {
            found[row] -= factor[row][column] * found[column];
        }
        found[row] /= factor[row][row];
    }
    for row in (0..size).rev() {
        for column in row + 1..size {
            found[row] -= factor[column][row] * found[column];
        }
        found[row] /= factor[row][row];
    }
    Some(found)
}

/// The lower factor; none where the matrix is not positive definite.
fn cholesky(matrix: &Matrix) -> Option<Matrix> {
    let size = matrix.len();
    let mut factor = vec![vec![0.0; size]; size];
    for row in 0..size {
        for column in 0..=row {
            let before: f64 = (0..column).map(|place| factor[row][place] * factor[column][place]).sum();
            let rest = matrix[row][column] - before;
            if row == column {
                // What is left of the diagonal is rounding where a column is a sum of others.
                if !(rest > 1e-12 * matrix[row][row].abs()) {
                    return None;
                }
                factor[row][row] = rest.sqrt();
            } else {
                factor[row][column] = rest / factor[column][column];
            }
        }
    }
    Some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out() {
        let columns = [vec![1.0, 2.0, 3.0, 4.0], vec![1.0, 0.0, 1.0, 0.0]];
        let seen: Vec<f64> = (0..4).map(|at| 2.0 * columns[0][at] - 3.0 * columns[1][at]).collect();
        let weights = [1.0, 0.5, 2.0, 1.0];
        let found = NormalEquations::new(&columns, &weights, &[0.0, 0.0]).solve(&seen).unwrap();
        assert!((found[0] - 2.0).abs() < 1e-9 && (found[1] + 3.0).abs() < 1e-9, "{found:?}");
    }

    /// Fault: two classes of the same shape get two numbers that mean nothing.
    #[test]
    fn columns_that_are_alike_have_no_answer() {
        let columns = [vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]];
        assert_eq!(NormalEquations::new(&columns, &[1.0; 3], &[0.0, 0.0]).solve(&[1.0, 2.0, 3.0]), None);
    }
}
