// Minimises by Adam: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1.
#pragma once

#include <vector>

#include "tools/style/lbfgs.h"

namespace vgg19::tools {

class Adam {
  public:
    /// `rate` is the α of the paper, in units of x.
    Adam(Objective objective, std::vector<float> start, double rate);

    /// One step; the value before it.
    double step();

    const std::vector<float>& x() const { return x_; }

  private:
    Objective objective_;
    double rate_;
    std::vector<float> x_;
    std::vector<float> gradient_;
    std::vector<float> first_moment_;
    std::vector<float> second_moment_;
    int steps_ = 0;
};

}  // namespace vgg19::tools
