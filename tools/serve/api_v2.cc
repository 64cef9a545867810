// /v2: the Open Inference Protocol; each variant is a model.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "bench/machine.h"
#include "engine/model/network.h"
#include "tools/serve/application.h"
#include "tools/serve/infer.h"

namespace vgg19::server {

namespace {

using model::Json;

constexpr const char* header_length = "Inference-Header-Content-Length";

/// A request's body, and the memory that it is accounted for.
struct TensorBody {
    std::string bytes;
    std::optional<std::size_t> json_bytes;  ///< as the header says
    Reservation memory;
};

class InferTask final : public Task {
  public:
    InferTask(Variants& variants, std::size_t variant, TensorBody body, MemoryBudget& budget)
        : variants_(variants), variant_(variant), body_(std::move(body)), budget_(budget) {}

    /// Only when finished, and once. Throws the Problem that occurred.
    http::Answer answer() {
        if (failure_) throw Problem(*failure_);
        http::Answer answer{.type = answer_.json_bytes ? "application/octet-stream" : "application/json",
                            .body = std::move(answer_.body)};
        if (answer_.json_bytes) answer.fields = {{header_length, std::to_string(*answer_.json_bytes)}};
        return answer;
    }

  private:
    void work() noexcept override {
        try {
            if (!is_cancelled()) answer_ = infer();
        } catch (...) {
            failure_.emplace(current_problem());
        }
        if (is_cancelled()) failure_.emplace(reason());
    }

    void give_up() noexcept override { failure_.emplace(reason()); }

    InferAnswer infer() {
        const TensorBody body = std::move(body_);
        const Session& session = variants_.session(variant_);
        const std::size_t classes = session.model().classes();
        const std::size_t json = std::min(body.json_bytes.value_or(body.bytes.size()), body.bytes.size());
        const Reservation memory = wait_for_memory(
            budget_.working(), infer_bytes(json, body.bytes.size() - json, session.input_size(), classes),
            "tensor");
        const InferRequest request = parse_infer_request(body.bytes, body.json_bytes, session.input_size());
        std::vector<float> logits(request.images * classes);
        variants_.infer(variant_, request.input, logits, [this] { return is_cancelled(); });
        return infer_answer(variants_.ids()[variant_], request, logits);
    }

    Variants& variants_;
    std::size_t variant_;
    TensorBody body_;
    MemoryBudget& budget_;
    InferAnswer answer_;
    std::optional<Problem> failure_;
};

/// What Inference-Header-Content-Length says.
std::optional<std::size_t> json_bytes_of(const http::Request& request) {
    constexpr const char* name = "inference-header-content-length";
    if (request.count(name) == 0) return std::nullopt;
    const std::optional<std::uint64_t> length = http::whole_number(request.value(name));
    if (!length || request.count(name) > 1) {
        throw Problem(400, "bad_request", std::string(header_length) + ": expected one whole number");
    }
    return static_cast<std::size_t>(*length);
}

Json tensor_json(const char* name, const std::vector<std::size_t>& shape_of_one) {
    Json shape;
    shape.push(-1);
    for (const std::size_t size : shape_of_one) shape.push(std::uint64_t{size});
    Json json;
    json.set("name", name).set("datatype", tensor_type).set("shape", shape);
    return json;
}

/// {key: true}
Json yes(const char* key) {
    Json json;
    return json.set(key, true);
}

}  // namespace

void Application::add_v2(std::vector<http::Route>& routes) {
    const auto add = [&](const char* pattern, auto answer) {
        routes.push_back(get_route(pattern, std::move(answer)));
    };
    add("/v2", [](const http::Request& /*request*/) {
        Json json;
        json.set("name", "vgg19").set("version", bench::describe_build().version);
        json.set("extensions", Json::Array{"binary_tensor_data"});
        return json_answer(200, json);
    });
    add("/v2/health/live", [](const http::Request& /*request*/) { return json_answer(200, yes("live")); });
    add("/v2/health/ready", [this](const http::Request& /*request*/) {
        if (server_.is_stopping()) throw Problem(503, "stopping", "the server is stopping");
        return json_answer(200, yes("ready"));
    });
    add("/v2/models/{id}", [this](const http::Request& request) { return model_description(request); });
    add("/v2/models/{id}/ready", [this](const http::Request& request) {
        Json json;
        json.set("name", variants_.ids()[model_of(request)]).set("ready", true);
        return json_answer(200, json);
    });
    routes.push_back(queued_route(
        "/v2/models/{id}/infer", Body::tensor,
        [this](const ExchangePtr& exchange, Reservation memory) { infer(exchange, std::move(memory)); }));
}

std::size_t Application::model_of(const http::Request& request) const {
    const std::optional<std::size_t> variant = variants_.find(request.id);
    if (!variant) throw Problem(404, "not_found", "there is no model '" + request.id + "'");
    return *variant;
}

http::Answer Application::model_description(const http::Request& request) const {
    const std::size_t variant = model_of(request);
    const Session& session = variants_.session(variant);
    Json inputs;
    inputs.push(tensor_json(
        input_name, {model::image_channels, session.input_size().height, session.input_size().width}));
    Json outputs;
    outputs.push(tensor_json(output_name, {session.model().classes()}));
    Json json;
    json.set("name", variants_.ids()[variant]).set("platform", "vgg19.cpp");
    json.set("inputs", inputs).set("outputs", outputs);
    return json_answer(200, json);
}

void Application::infer(const ExchangePtr& exchange, Reservation memory) {
    const http::Request& request = exchange->request();
    const std::size_t variant = model_of(request);
    TensorBody body{.bytes = std::move(exchange->body),
                    .json_bytes = json_bytes_of(request),
                    .memory = std::move(memory)};
    const auto task = std::make_shared<InferTask>(variants_, variant, std::move(body), budget_);
    submit(exchange, task, [&finished = *task] { return finished.answer(); });
}

}  // namespace vgg19::server
