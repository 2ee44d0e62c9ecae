//! The statistics: medians over rounds.

/// The middle of some values; of an even number of them the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// How far the values lie apart: the largest less the smallest, as a share of the median.
pub fn spread(values: &[f64]) -> Option<f64> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    let most = values.iter().copied().max_by(f64::total_cmp)?;
    Some((most - least) / median(values)?)
}

/// The median of what the values are to those of the same round; rounds that one of the two lacks do not count.
///
/// What slows a whole round slows both, and so counts less than in the ratio of two medians.
pub fn ratio(values: &[Option<f64>], of: &[Option<f64>]) -> Option<f64> {
    let ratios = values.iter().zip(of).filter_map(|(value, of)| Some((*value)? / (*of)?));
    median(&ratios.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }

    #[test]
    fn the_spread_is_a_share_of_the_median() {
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[7.0]), Some(0.0));
        assert_eq!(spread(&[8.0, 12.0, 10.0]), Some(0.4));
    }

    #[test]
    fn a_ratio_compares_what_was_measured_in_the_same_round() {
        // The second round was slow for both, the third has failed for one of them.
        let (ours, raw) =
            ([Some(90.0), Some(45.0), None, Some(95.0)], [Some(100.0), Some(50.0), Some(100.0), Some(100.0)]);
        assert_eq!(ratio(&ours, &raw), Some(0.9));
        assert_eq!(ratio(&[None], &[Some(1.0)]), None);
    }
}
