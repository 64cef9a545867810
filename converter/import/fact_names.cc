#include "converter/import/fact_names.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace vgg19::converter {
namespace {

using namespace std::string_view_literals;

/// Lower case, without separators.
std::string plain(std::string_view text) {
    std::string result;
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte >= 'A' && byte <= 'Z') {
            result += static_cast<char>(byte - 'A' + 'a');
        } else if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
            result += character;
        }
    }
    return result;
}

constexpr std::array class_keys = {
    "classes"sv,      "class"sv,         "classnames"sv,   "classname"sv,  "classlabels"sv,
    "classlabel"sv,   "classlist"sv,     "labels"sv,       "labelnames"sv, "labellist"sv,
    "categories"sv,   "categorynames"sv, "names"sv,        "vocab"sv,      "classmap"sv,
    "classmapping"sv, "labelmap"sv,      "labelmapping"sv, "idxtoclass"sv, "idx2class"sv,
    "indextoclass"sv, "index2class"sv,   "idxtolabel"sv,   "idx2label"sv,  "indextolabel"sv,
    "index2label"sv,  "idtolabel"sv,     "id2label"sv,     "idtoclass"sv,  "id2class"sv,
    "idtoname"sv,     "id2name"sv,       "idxtoname"sv,    "idx2name"sv,   "classtoidx"sv,
    "class2idx"sv,    "classtoindex"sv,  "class2index"sv,  "classtoid"sv,  "class2id"sv,
    "labeltoid"sv,    "label2id"sv,      "labeltoidx"sv,   "label2idx"sv,  "labeltoindex"sv,
    "label2index"sv,  "nametoidx"sv,     "name2idx"sv,     "nametoid"sv,   "name2id"sv,
    "targetnames"sv,  "targetlabels"sv,  "outputclasses"sv};

/// The words of a path: "norm_layer.2.bnEps" → norm, layer, 2, bn, eps.
std::vector<std::string> words_of(std::string_view path) {
    std::vector<std::string> words(1);
    char before = '.';
    for (const char character : path) {
        const bool upper = character >= 'A' && character <= 'Z';
        const bool word =
            upper || (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
        const bool after_small = before >= 'a' && before <= 'z';
        if (!word || (upper && after_small)) words.emplace_back();
        if (word) words.back() += upper ? static_cast<char>(character - 'A' + 'a') : character;
        before = character;
    }
    return words;
}

template <std::size_t Count>
bool any_of(const std::vector<std::string>& words, const std::array<std::string_view, Count>& wanted) {
    return std::any_of(words.begin(), words.end(), [&wanted](const std::string& word) {
        return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
    });
}

}  // namespace

bool says_class_names(std::string_view key) {
    return std::find(class_keys.begin(), class_keys.end(), plain(key)) != class_keys.end();
}

bool says_batch_norm_epsilon(std::string_view path) {
    const std::size_t last = path.rfind('.');
    const auto key = words_of(last == std::string_view::npos ? path : path.substr(last + 1));
    if (!any_of(key, std::array{"eps"sv, "epsilon"sv})) return false;
    const auto words = words_of(path);
    constexpr std::array others = {"optimizer"sv, "optimizers"sv, "optim"sv,     "opt"sv,
                                   "adam"sv,      "ln"sv,         "layernorm"sv, "rms"sv,
                                   "rmsnorm"sv,   "group"sv,      "gn"sv,        "instance"sv,
                                   "groupnorm"sv, "grad"sv,       "gradient"sv,  "clip"sv};
    if (any_of(words, others)) return false;
    if (any_of(words, std::array{"layer"sv}) &&
        !any_of(words, std::array{"bn"sv, "batch"sv, "batchnorm"sv}) && any_of(key, std::array{"layer"sv})) {
        return false;  // layer_norm_eps
    }
    return any_of(words, std::array{"bn"sv, "batchnorm"sv, "norm"sv});
}

}  // namespace vgg19::converter
