#include "tools/compress/claims.h"

#include <algorithm>

namespace vgg19::tools {

namespace {

bool is_dominated(const Trial& one, const Trial& other) {
    const double drop = converter::drop(one.held_out);
    const double others = converter::drop(other.held_out);
    const bool no_worse = others <= drop && other.cost.ms <= one.cost.ms && other.cost.mb <= one.cost.mb;
    if (!no_worse) return false;
    const bool better = others < drop || other.cost.ms < one.cost.ms || other.cost.mb < one.cost.mb;
    return better || other.number < one.number;  // of equal ones the first stays
}

}  // namespace

std::vector<std::size_t> front_of(const std::vector<Trial>& trials, double max_drop) {
    constexpr double far_beyond = 3;
    std::vector<std::size_t> front;
    std::vector<std::size_t> near;
    for (std::size_t i = 0; i < trials.size(); ++i) {
        const bool dominated = std::any_of(trials.begin(), trials.end(), [&](const Trial& other) {
            return other.number != trials[i].number && is_dominated(trials[i], other);
        });
        if (dominated) continue;
        front.push_back(i);
        if (converter::drop(trials[i].held_out) <= far_beyond * max_drop) near.push_back(i);
    }
    if (!near.empty()) front = near;
    std::stable_sort(front.begin(), front.end(), [&trials](std::size_t a, std::size_t b) {
        return trials[a].cost.ms > trials[b].cost.ms;
    });
    return front;
}

std::vector<std::size_t> claim_order(const std::vector<Trial>& models, const std::vector<double>& measured_ms,
                                     const Promise& promise) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < models.size(); ++i) {
        if (within_limits(promise, {measured_ms[i], models[i].cost.mb})) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&models](std::size_t a, std::size_t b) {
        return converter::drop_upper_bound(models[a].held_out) <
               converter::drop_upper_bound(models[b].held_out);
    });
    return order;
}

const char* claim_name(Claim claim) {
    if (claim == Claim::kept) return "kept";
    return claim == Claim::not_kept ? "not kept" : "not tried";
}

std::vector<Claim> claims_of(const std::vector<std::size_t>& order,
                             const std::vector<converter::PairedCounts>& test, double max_drop) {
    std::vector<Claim> claims(test.size(), Claim::not_tried);
    for (const std::size_t model : order) {
        const bool kept = converter::drop_upper_bound(test[model]) <= max_drop;
        claims[model] = kept ? Claim::kept : Claim::not_kept;
        if (!kept) break;
    }
    return claims;
}

}  // namespace vgg19::tools
