#include "bench/answer_json.h"

#include <cstdint>

namespace vgg19::bench {

using model::Json;

namespace {

template <class AnyPrediction>
Json prediction_json(const AnyPrediction& prediction) {
    Json json;
    json.set("class", std::uint64_t{prediction.class_index});
    json.set("synset", prediction.synset);
    json.set("label", prediction.label);
    json.set("probability", double{prediction.probability});
    return json;
}

}  // namespace

Json to_json(const Prediction& prediction) {
    return prediction_json(prediction);
}

Json to_json(const ReportedPrediction& prediction) {
    return prediction_json(prediction);
}

Json to_json(std::span<const Prediction> predictions) {
    Json array = Json::Array{};
    for (const Prediction& prediction : predictions) array.push(to_json(prediction));
    return array;
}

Json to_json(const Agreement& agreement) {
    Json json;
    json.set("top1", agreement.top1);
    json.set("top5", agreement.top5);
    json.set("cosine", agreement.cosine);
    return json;
}

}  // namespace vgg19::bench
