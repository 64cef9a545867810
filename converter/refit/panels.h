// Packs matrices for kernels/column_products.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::converter {

constexpr std::size_t panels_of(std::size_t columns) {
    return (columns + kernels::panel_columns - 1) / kernels::panel_columns;
}

/// Panels per kernel task; for symmetric results the last panels are the longest.
inline constexpr std::size_t task_panels = 4;

/// Calls body(first panel, last panel) on several threads, the last panels first.
template <class Body>
void for_panels(int threads, std::size_t panels, const Body& body) {
    const std::size_t tasks = (panels + task_panels - 1) / task_panels;
    kernels::parallel_workers(threads, tasks, [&](std::size_t, std::size_t task) {
        const std::size_t first = (tasks - task - 1) * task_panels;
        body(first, std::min(panels, first + task_panels));
    });
}

/// Packs `samples` rows of `columns` values, `stride` apart; padding columns become zero.
template <class T>
void rows_to_panels(const T* rows, std::size_t stride, std::size_t samples, std::size_t columns,
                    float* panels, int threads) {
    kernels::parallel_for(threads, panels_of(columns), [&](std::size_t panel) {
        const std::size_t first = panel * kernels::panel_columns;
        const std::size_t count = std::min(kernels::panel_columns, columns - first);
        float* to = panels + first * samples;
        for (std::size_t sample = 0; sample < samples; ++sample, to += kernels::panel_columns) {
            const T* from = rows + sample * stride + first;
            for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
            std::fill(to + count, to + kernels::panel_columns, 0.0F);
        }
    });
}

}  // namespace vgg19::converter
