// Variants without networks, for tests of jobs.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/serve/job.h"
#include "tools/serve/runner.h"
#include "vgg19/error.h"

namespace vgg19::server {

inline const std::string one_pixel("P6 1 1 255\n\1\2\3", 14);
inline MemoryBudget plenty(1'000'000'000);

/// Simulates variants instead of running networks.
class FakeRunner final : public Runner {
  public:
    std::function<void(std::size_t variant)> before = [](std::size_t) {};
    std::atomic<int> runs = 0;
    std::size_t other_classes = 99;  ///< the variant with other classes
    std::size_t run_memory = 1000;

    const std::vector<std::string>& ids() const override { return ids_; }
    const std::vector<PlanStep>& layers(std::size_t /*variant*/) const override { return layers_; }
    bool have_same_classes(std::size_t one, std::size_t other) const override {
        return one != other_classes && other != other_classes;
    }
    int threads() const override { return 1; }
    std::size_t run_bytes(std::size_t /*variant*/, std::size_t /*width*/, std::size_t /*height*/,
                          std::size_t /*top*/) const override {
        return run_memory;
    }
    void begin(std::size_t variant, Call& call) noexcept override { threads_[variant].begin(call); }
    Outcome classify(std::size_t variant, const ImageView& /*image*/, std::size_t top, bool profile,
                     const std::function<bool()>& is_cancelled) override {
        ++runs;
        before(variant);
        if (is_cancelled()) throw Error(ErrorKind::cancelled, "cancelled");
        Outcome outcome;
        outcome.ms = 1 + static_cast<double>(variant);
        outcome.logits = {3, 2, 1, 0, -1, static_cast<float>(variant)};
        for (std::size_t i = 0; i < std::min(top, outcome.logits.size()); ++i) {
            outcome.top.push_back({.class_index = i, .probability = 0.5F});
        }
        if (profile) outcome.layer_seconds = {0.001};
        return outcome;
    }
    void infer(std::size_t /*variant*/, std::span<const float> /*input*/, std::span<float> /*logits*/,
               const std::function<bool()>& /*is_cancelled*/) override {}

  private:
    std::vector<std::string> ids_ = {"baseline", "pruned", "int8"};
    std::vector<PlanStep> layers_ = {{.layer = "features.0", .kernel = "scalar"}};
    std::array<VariantThread, 3> threads_;
};

/// A job for one pixel, unless the picture is given.
inline std::shared_ptr<Job> new_job(Runner& runner, JobRequest request, const std::string& file = one_pixel,
                                    MemoryBudget& budget = plenty) {
    return std::make_shared<Job>(runner, std::move(request),
                                 Upload(file, "image/png", *budget.held().reserve(file.size())),
                                 ImageOptions{}, budget);
}

}  // namespace vgg19::server
