// Compares what a network computes at its max-pools with what its teacher does.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

namespace vgg19::converter {

/// The outputs of one pool, of both networks: (images, channels, pixels) and (images, teacher_channels,
/// pixels).
struct PoolShape {
    std::size_t channels = 0;
    std::size_t teacher_channels = 0;
    std::size_t pixels = 0;
};

/// The term of the objective for features (after Romero et al., "FitNets: hints for thin deep nets", 2015).
/// For an image with the outputs s of the network's pool and t of the teacher's, at each pixel:
///
///   loss = mean over pools of Σ_pixels |M s + b − t|² / E
///
/// M (teacher_channels × channels) and b map the network's channels, which may be fewer, to the teacher's: by
/// least squares over sampled images before training, and fixed then. E is the variance of t there: Σ_pixels
/// |t − mean t|², mean over images; so that a network whose features say nothing has a loss of 1.
class FeatureMatch {
  public:
    explicit FeatureMatch(std::vector<PoolShape> pools);

    std::span<const PoolShape> pools() const { return shapes_; }

    /// Adds images to the least squares of a pool.
    void add_sample(std::size_t pool, std::size_t images, std::span<const float> outputs,
                    std::span<const float> teacher);
    /// Fits the maps to the samples, of which each pool must have some.
    void fit();

    /// Adds scale · Σ_images loss's gradient with respect to `outputs` to `gradient`, of the same shape;
    /// returns Σ_images loss, both of this pool's share of the mean. Thread-safe after fit().
    double add_gradient(std::size_t pool, std::size_t images, std::span<const float> outputs,
                        std::span<const float> teacher, double scale, int threads,
                        std::span<float> gradient) const;

  private:
    /// Sums over samples (images · pixels), and then the map.
    struct Fit {
        Eigen::MatrixXd gram;      ///< of (s, 1): channels + 1 squared
        Eigen::MatrixXd products;  ///< of (s, 1) and t: (channels + 1) × teacher_channels
        Eigen::VectorXd sum;       ///< of t
        double squares = 0;        ///< Σ |t|²
        double images = 0;
        Eigen::MatrixXf map;     ///< M
        Eigen::VectorXf offset;  ///< b
        double weight = 0;       ///< 1 / (E · pools)
    };

    std::vector<PoolShape> shapes_;
    std::vector<Fit> fits_;
};

}  // namespace vgg19::converter
