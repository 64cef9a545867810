#include "tools/serve/variants.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include "bench/agreement.h"
#include "converter/variants/seeded_weights.h"
#include "engine/model/json_file.h"
#include "engine/model/map_size.h"
#include "engine/model/model_access.h"
#include "vgg19/error.h"

namespace vgg19::server {

namespace {

using model::Json;

Json plan_json(const std::vector<PlanStep>& steps) {
    std::vector<std::pair<std::string, int>> counts;
    for (const PlanStep& step : steps) {
        const auto found = std::find_if(counts.begin(), counts.end(),
                                        [&](const auto& entry) { return entry.first == step.kernel; });
        if (found != counts.end()) {
            ++found->second;
        } else {
            counts.emplace_back(step.kernel, 1);
        }
    }
    Json array = Json::Array{};
    for (const auto& [kernel, layers] : counts) {
        Json entry;
        entry.set("kernel", kernel);
        entry.set("layers", layers);
        array.push(entry);
    }
    return array;
}

Json model_json(const std::string& id, const Session& session, const std::optional<Json>& accuracy) {
    constexpr double giga = 1e-9;
    const Model& model = session.model();
    Json json;
    json.set("id", id);
    json.set("variant", model.variant());
    json.set("seeded", is_seeded(model));
    json.set("input_size", model::size_json(session.input_size()));
    json.set("classes", std::uint64_t{model.classes()});
    const std::vector<std::string>& names = model.class_names();
    if (!names.empty()) json.set("class_names", Json::Array(names.begin(), names.end()));
    json.set("file", model::file_of(model).path().filename().string());
    json.set("file_bytes", model.file_bytes());
    json.set("active_parameters", model.active_parameters());
    json.set("gmac", static_cast<double>(model.macs(session.input_size())) * giga);
    json.set("lineage", Json::Array(model.lineage().begin(), model.lineage().end()));
    json.set("plan", plan_json(session.plan()));
    if (accuracy) json.set("accuracy", *accuracy);
    return json;
}

}  // namespace

class Variants::Running {
  public:
    explicit Running(Variants& variants)
        : variants_(variants), was_alone_(variants.running_++ == 0), started_(++variants.started_) {}
    ~Running() { --variants_.running_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    bool in_parallel() const { return !was_alone_ || variants_.started_ != started_; }

  private:
    Variants& variants_;
    bool was_alone_;
    unsigned started_;
};

Variants::Served::Served(std::string served_id, const Model& model, const SessionOptions& options)
    : id(std::move(served_id)),
      session(model, options),
      input(model::image_channels * session.input_size().pixels()),
      logits(model.classes()) {}

Variants::Variants(const std::vector<converter::Variant>& variants, const SessionOptions& options,
                   Metrics& metrics)
    : metrics_(metrics) {
    std::map<std::filesystem::path, Model> models;
    for (const converter::Variant& variant : variants) {
        auto found = models.find(variant.file);
        if (found == models.end()) found = models.emplace(variant.file, Model::open(variant.file)).first;
        SessionOptions own = options;
        own.set_input_size(variant.input_size);
        own.outputs = {"logits"};  // so that a model without a classifier is refused at once
        served_.push_back(std::make_unique<Served>(variant.id, found->second, own));
        ids_.push_back(variant.id);
    }
}

void Variants::read_report(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "report.json";
    if (!std::filesystem::exists(file)) return;
    const Json report = model::read_json(file);
    const Json* const variants = report.find("variants");
    if (variants == nullptr || !variants->is_array()) {
        throw Error(ErrorKind::bad_input, file.string() + ": expected an array \"variants\"");
    }
    for (const Json& entry : variants->array()) {
        const Json* const id = entry.find("id");
        const Json* const accuracy = entry.find("accuracy");
        if (id == nullptr || !id->is_string() || accuracy == nullptr || accuracy->is_null()) continue;
        const Json* const top1 = accuracy->find("top1");
        if (top1 == nullptr || !top1->is_number()) {
            throw Error(ErrorKind::bad_input,
                        file.string() + ": " + id->string() + ": accuracy: expected a number \"top1\"");
        }
        if (const auto variant = find(id->string())) served_[*variant]->accuracy = *accuracy;
    }
}

std::optional<std::size_t> Variants::find(const std::string& id) const {
    const auto found = std::find(ids_.begin(), ids_.end(), id);
    if (found == ids_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - ids_.begin());
}

const std::vector<PlanStep>& Variants::layers(std::size_t variant) const {
    return served_[variant]->session.plan();
}

bool Variants::have_same_classes(std::size_t one, std::size_t other) const {
    return bench::have_same_classes(session(one).model(), session(other).model());
}

std::size_t Variants::run_bytes(std::size_t variant, std::size_t width, std::size_t height,
                                std::size_t top) const {
    constexpr std::size_t a_class = 2048;  // a prediction, as JSON values and as text
    constexpr std::size_t others = std::size_t{128} << 10U;
    const Served& served = *served_[variant];
    const MapSize size = served.session.input_size();
    // Resizing keeps the rows under the crop and its filter, at the crop's width. These rows are at most as
    // high as the crop is at the picture's width, and as much again.
    const std::size_t rows = std::min(height, 2 * (width * size.height / size.width + 1));
    const std::size_t classes = served.logits.size();
    return (rows + size.height) * size.width * model::image_channels + 4 * classes * sizeof(float) +
           std::min(std::max(top, bench::agreeing_classes), classes) * a_class + others;
}

Outcome Variants::classify(std::size_t variant, const ImageView& image, std::size_t top, bool profile,
                           const std::function<bool()>& is_cancelled) {
    using Clock = std::chrono::steady_clock;
    Served& served = *served_[variant];
    const std::scoped_lock lock(served.mutex);
    const Running running(*this);
    Outcome outcome;
    if (profile) outcome.layer_seconds.resize(served.session.plan().size());
    const Clock::time_point start = Clock::now();
    served.session.preprocess(image, served.input);
    const std::span<float> logits = served.logits;
    served.session.run(served.input, std::span(&logits, 1),
                       {.seconds = outcome.layer_seconds, .is_cancelled = is_cancelled});
    outcome.top = served.session.predictions(served.logits, std::min(top, served.logits.size()));
    const std::chrono::duration<double> seconds = Clock::now() - start;
    outcome.ms = seconds.count() * 1e3;
    outcome.in_parallel = running.in_parallel();
    outcome.logits = served.logits;
    metrics_.count_inference(served.id, seconds.count());
    return outcome;
}

void Variants::infer(std::size_t variant, std::span<const float> input, std::span<float> logits,
                     const std::function<bool()>& is_cancelled) {
    Served& served = *served_[variant];
    const std::scoped_lock lock(served.mutex);
    const Running running(*this);
    const std::size_t floats = served.input.size();
    for (std::size_t i = 0; i < input.size() / floats; ++i) {
        const std::span<float> result = logits.subspan(i * served.logits.size(), served.logits.size());
        served.session.run(input.subspan(i * floats, floats), std::span(&result, 1),
                           {.seconds = {}, .is_cancelled = is_cancelled});
    }
}

bool Variants::any_is_seeded() const {
    return std::any_of(served_.begin(), served_.end(),
                       [](const auto& served) { return is_seeded(served->session.model()); });
}

Json Variants::models_json() const {
    Json array = Json::Array{};
    for (const auto& served : served_) {
        array.push(model_json(served->id, served->session, served->accuracy));
    }
    return array;
}

bool is_seeded(const Model& model) {
    return converter::is_seeded(model::file_of(model).description());
}

}  // namespace vgg19::server
