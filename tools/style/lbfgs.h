// Minimises smooth functions of many numbers by L-BFGS: Nocedal and Wright, Numerical Optimization, 2nd
// edition, 2006, algorithms 7.4 (two-loop recursion) and 7.5, with the line search of algorithms 3.5 and 3.6
// (strong Wolfe conditions).
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace vgg19::tools {

/// The value at x; sets the gradient there, which has the size of x.
using Objective = std::function<double(std::span<const float> x, std::span<float> gradient)>;

struct LbfgsOptions {
    std::size_t history = 20;           ///< pairs of steps and changes of the gradient; at least 1
    std::size_t most_evaluations = 25;  ///< of the objective in one line search
    /// The root mean square of the first change that is tried, in units of x: there is no curvature yet to
    /// take it from.
    double first_change = 0.01;
};

class Lbfgs {
  public:
    /// Evaluates the objective once.
    Lbfgs(Objective objective, std::vector<float> start, const LbfgsOptions& options = {});

    /// One iteration: a line search along the direction of the history. False if the objective cannot be made
    /// smaller: x() is a minimum as far as floats can tell.
    bool step();

    const std::vector<float>& x() const { return x_; }
    double value() const { return value_; }
    std::size_t evaluations() const { return evaluations_; }

  private:
    struct Pair {
        std::vector<float> step;
        std::vector<float> change;  ///< of the gradient
        double curvature = 0;       ///< step · change, above 0
    };
    /// A point on the line x + t·direction.
    struct Trial {
        double t = 0;
        double value = 0;
        double slope = 0;
        std::vector<float> gradient;
    };

    std::vector<float> direction() const;
    double first_t(std::span<const float> direction) const;
    Trial trial(std::span<const float> direction, double t);
    bool decreases(const Trial& trial, double slope) const;
    /// Algorithm 3.5. The last trial is the best found if no point satisfies the conditions.
    Trial search(std::span<const float> direction, double slope);
    /// Algorithm 3.6, between two points that bracket one that satisfies the conditions.
    Trial zoom(std::span<const float> direction, double slope, Trial low, Trial high, std::size_t used);
    void accept(std::span<const float> direction, Trial&& trial);

    Objective objective_;
    LbfgsOptions options_;
    std::vector<float> x_;
    std::vector<float> gradient_;
    double value_ = 0;
    std::size_t evaluations_ = 0;
    std::deque<Pair> history_;  ///< the newest last
};

}  // namespace vgg19::tools
