// The served variants, each with a session; variants of the same file share its mapping.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/variants/variants.h"
#include "engine/model/json.h"
#include "tools/serve/metrics.h"
#include "tools/serve/runner.h"
#include "vgg19/model.h"
#include "vgg19/session.h"

namespace vgg19::server {

class Variants final : public Runner {
  public:
    /// Opens every file once, and creates a session for each variant.
    Variants(const std::vector<converter::Variant>& variants, const SessionOptions& options,
             Metrics& metrics);

    /// Adds the accuracies from `folder`/report.json, if that exists: variants[].id and .accuracy. Throws
    /// Error (bad_input) if it is not such a report.
    void read_report(const std::filesystem::path& folder);

    const std::vector<std::string>& ids() const override { return ids_; }
    std::optional<std::size_t> find(const std::string& id) const;
    const Session& session(std::size_t variant) const { return served_[variant]->session; }
    const std::vector<PlanStep>& layers(std::size_t variant) const override;
    bool have_same_classes(std::size_t one, std::size_t other) const override;
    int threads() const override { return served_.front()->session.threads(); }
    std::size_t run_bytes(std::size_t variant, std::size_t width, std::size_t height,
                          std::size_t top) const override;
    void begin(std::size_t variant, Call& call) noexcept override { served_[variant]->thread.begin(call); }
    Outcome classify(std::size_t variant, const ImageView& image, std::size_t top, bool profile,
                     const std::function<bool()>& is_cancelled) override;
    void infer(std::size_t variant, std::span<const float> input, std::span<float> logits,
               const std::function<bool()>& is_cancelled) override;

    /// Whether the weights of some variants are seeded.
    bool any_is_seeded() const;
    /// The array of Model objects of the API's description.
    model::Json models_json() const;

  private:
    struct Served {
        Served(std::string served_id, const Model& model, const SessionOptions& options);

        std::string id;
        Session session;
        std::mutex mutex;  ///< protects the members below, and running the session
        std::vector<float> input;
        std::vector<float> logits;
        std::optional<model::Json> accuracy;  ///< as in the report
        VariantThread thread;
    };

    /// While it exists, a variant runs; it records whether another one did too.
    class Running;

    std::vector<std::string> ids_;
    std::vector<std::unique_ptr<Served>> served_;
    Metrics& metrics_;
    std::atomic<int> running_ = 0;
    std::atomic<unsigned> started_ = 0;
};

/// Whether a model's weights are seeded, not trained.
bool is_seeded(const Model& model);

}  // namespace vgg19::server
