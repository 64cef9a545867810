#include "converter/import/layouts.h"

#include <algorithm>
#include <cctype>
#include <regex>

namespace vgg19::converter {
namespace {

/// "3_2" for the second convolution of the third block.
std::string block_and_place(const model::Network& network, std::size_t k) {
    std::size_t block = 1;
    std::size_t place = 1;
    for (std::size_t i = 0; i < k; ++i) {
        const bool pool_follows = network.convolutions()[i].pool_follows;
        block += pool_follows ? 1 : 0;
        place = pool_follows ? 1 : place + 1;
    }
    return std::to_string(block) + '_' + std::to_string(place);
}

/// The index of the k-th convolution in `features`, which every batch norm before it increases by one.
std::size_t sequential_index(const Layout& layout, std::size_t k) {
    return layout.network.convolutions()[k].features_index + (layout.batch_norm ? k : 0);
}

/// In order, too, the same convolutions must be followed by pools.
bool have_same_names(const Layout& a, const Layout& b, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
        if (block_and_place(a.network, k) != block_and_place(b.network, k)) return false;
    }
    return true;
}

std::optional<std::string> matched_name(const std::string& text) {
    static const std::regex pattern(
        "(?:(?:block|stage|group)_?([1-5])[_-])?"  // block3_
        "(conv|bn|norm|batch_?norm)_?"
        "(?:([1-5])[_-])?([1-9])"
        "(?:_(conv|0|bn|norm|batch_?norm|1))?");  // in a module that holds both
    std::smatch found;
    if (!std::regex_match(text, found, pattern)) return {};
    if (found[1].matched == found[3].matched) return {};  // the block is given exactly once
    const std::string block = found[1].matched ? found[1].str() : found[3].str();
    const bool holds_norm = found[5].matched && found[5].str() != "conv" && found[5].str() != "0";
    const bool is_norm = found[2].str() != "conv" || holds_norm;
    return (is_norm ? "bn" : "conv") + block + '_' + found[4].str();
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
    return lower;
}

}  // namespace

std::string Layout::convolution(std::size_t k) const {
    if (naming == Naming::sequential) return std::to_string(sequential_index(*this, k));
    return "conv" + (naming == Naming::in_order ? std::to_string(k) : block_and_place(network, k));
}

std::string Layout::norm(std::size_t k) const {
    if (naming == Naming::sequential) return std::to_string(sequential_index(*this, k) + 1);
    return "bn" + (naming == Naming::in_order ? std::to_string(k) : block_and_place(network, k));
}

std::string Layout::title() const {
    const std::string name = "VGG-" + std::to_string(depth);
    const std::string norms = batch_norm ? " with batch norm" : "";
    if (!is_prefix) return name + norms;
    const std::size_t count = network.convolutions().size();
    return name +
           (count == 1 ? "'s first convolution" : "'s first " + std::to_string(count) + " convolutions") +
           norms;
}

Layout first_convolutions(const Layout& layout, std::size_t count) {
    for (Layout& other : layouts_named(layout.naming)) {
        if (other.batch_norm != layout.batch_norm || other.network.convolutions().size() < count) continue;
        if (!have_same_names(layout, other, count)) continue;
        std::vector<std::size_t> features;
        for (std::size_t k = 0; k < count; ++k) {
            const model::ConvolutionLayer& convolution = other.network.convolutions()[k];
            features.push_back(convolution.output_channels);
            if (convolution.pool_follows) features.push_back(0);
        }
        other.is_prefix = true;
        other.network = model::Network(features, {});
        return other;
    }
    return layout;  // not reached: the layout itself is among them
}

std::vector<Layout> layouts_named(Naming naming) {
    std::vector<Layout> layouts;
    for (const int depth : {19, 16, 13, 11}) {
        for (const bool batch_norm : {false, true}) {
            layouts.push_back({depth, batch_norm, naming, model::Network::vgg(depth)});
        }
    }
    return layouts;
}

std::optional<NumberedName> numbered_name(std::string_view last_but_one, std::string_view last) {
    constexpr std::size_t longest = 24;  // such names are shorter; others need not be matched
    if (last.empty() || last.size() > longest) return {};
    const std::string name = lower_case(last);
    if (const auto found = matched_name(name)) return NumberedName{*found, 1};
    if (last_but_one.empty() || last_but_one.size() > longest) return {};
    const auto found = matched_name(lower_case(last_but_one) + '_' + name);  // "block3.conv2", "conv3_2.bn"
    if (!found) return {};
    return NumberedName{*found, 2};
}

}  // namespace vgg19::converter
