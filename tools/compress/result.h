// What a search ends with, as JSON and in words.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "tools/compress/claims.h"
#include "tools/compress/options.h"
#include "tools/compress/search.h"

namespace vgg19::tools {

/// A model of the front, judged.
struct JudgedModel {
    std::string id;
    std::filesystem::path file;
    Trial trial;
    double measured_ms = 0;
    converter::PairedCounts test;
    Claim claim = Claim::not_tried;
};

struct CompressResult {
    std::vector<JudgedModel> models;
    std::vector<std::string> order;  ///< of the claims
    /// Into `models`: the fastest that keeps the promise; none if none does.
    std::optional<std::size_t> marked;
};

/// The fastest of those that keep the promise, of equally fast ones the smallest.
std::optional<std::size_t> marked_model(const std::vector<JudgedModel>& models);

/// A sentence or two: what was found, or how near it came and what binds.
std::string verdict(const CompressResult& result, const Promise& promise);

/// The trials until now, what is expected of further ones, and the settings, for DIR/search.json.
model::Json search_json(const CompressOptions& options, const Search& search);

/// {"promise": {"max_drop", "max_ms", "max_mb", "kept", "model", "verdict"}, "order": [id], "models": [{"id",
/// "recipe", "command", "claim", "held_out", "test", "images_needed", "expected_ms", "median_ms", "mb"}],
/// "trials": […]}; counts are {"images", "only_model_right", "only_reference_right", "drop", "interval",
/// "upper_bound"}.
model::Json result_json(const CompressOptions& options, const Search& search, const CompressResult& result);

/// The one command that makes this model.
std::string recipe_command(const CompressOptions& options, const Trial& trial);

}  // namespace vgg19::tools
