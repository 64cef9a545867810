#include "converter/import/exported.h"

#include <utility>

#include "engine/model/description.h"
#include "engine/model/foreign_text.h"
#include "engine/model/json_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

/// Tensors do not tell whether features alone end before or after their last pool.
std::vector<std::size_t> without_last_pool(const model::Network& network) {
    std::vector<std::size_t> features = network.features();
    if (features.back() == 0) features.pop_back();
    return features;
}

bool is_same(const model::Network& exported, const model::Network& found, bool features_only) {
    if (found.has_classifier() || (exported.has_classifier() && !features_only)) return exported == found;
    return without_last_pool(exported) == without_last_pool(found);
}

}  // namespace

model::Metadata read_exported(std::string_view json, std::string_view name) {
    model::JsonReader reader(json, name);
    const auto fail = [&](const char* expected) {
        throw Error(ErrorKind::bad_input, std::string(name) + ": expected " + expected);
    };
    if (reader.next() != model::JsonReader::Kind::object) fail("an object");
    model::Metadata metadata;
    reader.object([&](std::string& key) {
        if (reader.next() != model::JsonReader::Kind::string) fail("texts alone");
        std::string value = reader.string();
        metadata.emplace_back(std::move(key), std::move(value));
    });
    reader.end();
    return metadata;
}

std::optional<model::Description> exported_description(const CheckpointFacts& facts,
                                                       const model::Network& network, bool features_only,
                                                       std::vector<std::string>& notes) {
    if (facts.exported.empty()) return {};
    std::string problem = "its network is not the one that the tensors form";
    try {
        model::Description description = model::description_from_metadata(facts.exported);
        if (is_same(description.network, network, features_only)) {
            notes.emplace_back(
                "preprocessing, class names and lineage are those of the model that vgg19 exported");
            return description;
        }
    } catch (const Error& error) {
        problem = error.what();
    }
    notes.push_back("the description that vgg19 exported with the weights is not used: " + problem);
    return {};
}

}  // namespace vgg19::converter
