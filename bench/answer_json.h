// Answers as programs read them, the same from every command.
#pragma once

#include <span>

#include "bench/agreement.h"
#include "bench/report.h"
#include "engine/model/json.h"
#include "vgg19/session.h"

namespace vgg19::bench {

/// {"class": 281, "synset": "n02123045", "label": "tabby", "probability": 0.5}
model::Json to_json(const Prediction& prediction);
model::Json to_json(const ReportedPrediction& prediction);
/// An array of them.
model::Json to_json(std::span<const Prediction> predictions);

/// {"top1": true, "top5": 0.8, "cosine": 0.99}
model::Json to_json(const Agreement& agreement);

}  // namespace vgg19::bench
