// What a further reduction is expected to cost in accuracy, refined by what reductions have cost.
#pragma once

#include <cstddef>

#include "converter/evaluate/paired_difference.h"

namespace vgg19::tools {

/// The coefficients of a + b f(x), of which something is believed beforehand, after measurements of it: the
/// posterior mean of Bayesian linear regression with normal errors (Bishop 2006, 3.3).
class TwoTermFit {
  public:
    struct Belief {
        double mean = 0;
        double deviation = 1;
    };
    TwoTermFit(Belief constant, Belief slope);

    /// A measurement `value` with this standard deviation, where f is `term`.
    void add(double term, double value, double deviation);
    double constant() const;
    double slope() const;

  private:
    double information_[2][2];  ///< the inverse covariance
    double weighed_[2];         ///< times the mean
};

/// Accuracy lost against the baseline, by the reduction r = ln(baseline's cost / model's cost). It is
/// expected to grow as a + b r², the share of images on which the two models differ as c + d r: small cuts
/// take what others can stand for, and change few answers.
class DropPrediction {
  public:
    DropPrediction();

    /// Learns from a model with this reduction.
    void add(double reduction, const converter::PairedCounts& held_out);

    /// As shares of the images.
    double drop(double reduction) const;
    double differing(double reduction) const;
    /// Of the drop, on that many images.
    double upper_bound(double reduction, double images) const;

    /// The largest reduction whose expected drop is at most `most`; 0 if there is none.
    double reach(double most) const;
    /// The largest whose expected upper bound on that many images is.
    double safe_reach(double most, double images) const;

  private:
    TwoTermFit drop_;
    TwoTermFit differing_;
};

}  // namespace vgg19::tools
