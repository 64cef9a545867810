#include "converter/rounding/error_feedback.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "converter/quantize/int4_weights.h"
#include "converter/quantize/rounding.h"
#include "engine/model/network.h"
#include "kernels/common/float16.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t block = QuadraticError::block;
constexpr std::size_t lanes = model::int4_group;
static_assert(lanes % kernels::panel_columns == 0);

/// With so few levels, weights at the end of the range cannot make up for errors, and rounding to the nearest
/// may be the better start.
constexpr int few_levels = 3;

/// Most sweeps over all weights after the first rounding. Few weights move in later ones.
constexpr int most_sweeps = 4;

using Lanes = std::array<float, lanes>;

/// A block's values as kernels/column_products reads them: [lanes / 16][block][16].
class BlockValues {
  public:
    void set(std::size_t row, const Lanes& values) {
        constexpr std::size_t panel = kernels::panel_columns;
        for (std::size_t first = 0; first < lanes; first += panel) {
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), panel,
                        values_.begin() + static_cast<std::ptrdiff_t>((first / panel * block + row) * panel));
        }
    }
    std::span<const float> values() const { return values_; }

  private:
    std::array<float, block * lanes> values_{};
};

/// Rounds 32 outputs. Lanes beyond the last output are zero. A scale belongs to a lane, or to an input.
class Tile {
  public:
    Tile(const QuadraticError& error, std::span<const float> wanted, std::size_t outputs, int largest)
        : error_(error),
          largest_(static_cast<float>(largest)),
          wanted_(error.padded_inputs()),
          levels_(error.padded_inputs()),
          scales_(error.padded_inputs()),
          wanted_products_(error.padded_inputs() * lanes),
          products_(error.padded_inputs() * lanes) {
        for (std::size_t lane = 0; lane < outputs; ++lane) {
            for (std::size_t i = 0; i < error.inputs(); ++i) {
                wanted_[i][lane] = wanted[lane * error.inputs() + i];
            }
        }
    }

    const Lanes& levels(std::size_t input) const { return levels_[input]; }
    const Lanes& scales(std::size_t input) const { return scales_[input]; }

    /// Calls choose_scales(wanted values, scales) for each input, from the last to the first.
    template <class ChooseScales>
    void feed_errors_back(const ChooseScales& choose_scales) {
        std::vector<double> sums(wanted_.size() * lanes);
        for (std::size_t index = wanted_.size() / block; index-- > 0;) {
            BlockValues errors;
            std::array<Lanes, block> of_block{};
            for (std::size_t row = block; row-- > 0;) {
                const std::size_t k = index * block + row;
                Lanes sum;
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    sum[lane] = static_cast<float>(sums[k * lanes + lane]);
                }
                for (std::size_t later = row + 1; later < block; ++later) {
                    const float factor = error_.factor(index * block + later, k);
                    for (std::size_t lane = 0; lane < lanes; ++lane) {
                        sum[lane] += factor * of_block[later][lane];
                    }
                }
                const float inverse = 1 / error_.factor(k, k);
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    sum[lane] = wanted_[k][lane] - sum[lane] * inverse;
                }
                choose_scales(sum, scales_[k]);
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    levels_[k][lane] = rounded(sum[lane], scales_[k][lane]);
                    of_block[row][lane] = levels_[k][lane] * scales_[k][lane] - wanted_[k][lane];
                }
                errors.set(row, of_block[row]);
            }
            error_.add_factor_block(index, errors.values(), lanes, sums.data());
        }
    }

    /// Starts with the nearest levels.
    void round_to_nearest(const Lanes& scales) {
        for (std::size_t k = 0; k < wanted_.size(); ++k) {
            scales_[k] = scales;
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                levels_[k][lane] = rounded(wanted_[k][lane], scales[lane]);
            }
        }
    }

    /// `fit` allows one factor for all scales of a lane.
    void descend(bool fit) {
        multiply_all(wanted_products_, [&](std::size_t k, std::size_t lane) { return wanted_[k][lane]; });
        multiply_all(products_, [&](std::size_t k, std::size_t lane) { return value(k, lane); });
        for (int sweep = 0; sweep < most_sweeps; ++sweep) {
            if (fit) fit_scales();
            std::size_t moved = 0;
            for (std::size_t index = 0; index < wanted_.size() / block; ++index) moved += move_block(index);
            if (moved * 1000 < wanted_.size() * lanes) break;
        }
        if (fit) fit_scales();
    }

    /// After descend(): the error of each lane, less that of zero weights.
    std::array<double, lanes> errors() const {
        std::array<double, lanes> errors{};
        for (std::size_t k = 0; k < wanted_.size(); ++k) {
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const std::size_t place = k * lanes + lane;
                errors[lane] += double{value(k, lane)} * (products_[place] - 2 * wanted_products_[place]);
            }
        }
        return errors;
    }

    /// Takes over the lanes in which the other is better.
    void keep_better(const Tile& other) {
        const auto ours = errors();
        const auto theirs = other.errors();
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            if (theirs[lane] >= ours[lane]) continue;
            for (std::size_t k = 0; k < wanted_.size(); ++k) {
                levels_[k][lane] = other.levels_[k][lane];
                scales_[k][lane] = other.scales_[k][lane];
            }
        }
    }

  private:
    float rounded(float value, float scale) const {
        return round_to_even(std::clamp(value / scale, -largest_, largest_));
    }
    float value(std::size_t k, std::size_t lane) const { return levels_[k][lane] * scales_[k][lane]; }

    template <class Value>
    void multiply_all(std::vector<double>& products, const Value& value_at) const {
        std::fill(products.begin(), products.end(), 0.0);
        for (std::size_t index = 0; index < wanted_.size() / block; ++index) {
            BlockValues values;
            for (std::size_t row = 0; row < block; ++row) {
                Lanes of_row;
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    of_row[lane] = value_at(index * block + row, lane);
                }
                values.set(row, of_row);
            }
            error_.add_moment_block(index, values.values(), lanes, products.data());
        }
    }

    /// The least error for a common factor f of a lane's values v is at f = v·H·wanted / v·H·v.
    void fit_scales() {
        std::array<double, lanes> with_wanted{};
        std::array<double, lanes> with_itself{};
        for (std::size_t k = 0; k < wanted_.size(); ++k) {
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const auto here = static_cast<double>(value(k, lane));
                with_wanted[lane] += here * wanted_products_[k * lanes + lane];
                with_itself[lane] += here * products_[k * lanes + lane];
            }
        }
        Lanes factors;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double factor = with_wanted[lane] / with_itself[lane];
            factors[lane] = factor > 0 && std::isfinite(factor) ? static_cast<float>(factor) : 1.0F;
        }
        for (std::size_t k = 0; k < wanted_.size(); ++k) {
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                scales_[k][lane] *= factors[lane];
                products_[k * lanes + lane] *= static_cast<double>(factors[lane]);
            }
        }
    }

    /// Returns how many weights of the block have moved.
    std::size_t move_block(std::size_t index) {
        BlockValues changes;
        std::array<Lanes, block> of_block{};
        std::size_t moved = 0;
        for (std::size_t row = 0; row < block; ++row) {
            const std::size_t k = index * block + row;
            Lanes gradient;
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                gradient[lane] =
                    static_cast<float>(products_[k * lanes + lane] - wanted_products_[k * lanes + lane]);
            }
            for (std::size_t earlier = 0; earlier < row; ++earlier) {
                const float moment = error_.moment(k, index * block + earlier);
                for (std::size_t lane = 0; lane < lanes; ++lane) {
                    gradient[lane] += moment * of_block[earlier][lane];
                }
            }
            const float inverse = 1 / error_.moment(k, k);
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const float best = rounded(value(k, lane) - gradient[lane] * inverse, scales_[k][lane]);
                of_block[row][lane] = (best - levels_[k][lane]) * scales_[k][lane];
                moved += static_cast<std::size_t>(best != levels_[k][lane]);
                levels_[k][lane] = best;
            }
            changes.set(row, of_block[row]);
        }
        if (moved > 0) error_.add_moment_block(index, changes.values(), lanes, products_.data());
        return moved;
    }

    const QuadraticError& error_;
    float largest_;
    std::vector<Lanes> wanted_;  ///< [padded inputs]
    std::vector<Lanes> levels_;
    std::vector<Lanes> scales_;
    std::vector<double> wanted_products_;  ///< H · wanted, [padded inputs][lanes]
    std::vector<double> products_;         ///< H · values
};

/// Calls round(first output, number of outputs) for all tiles.
template <class Round>
void for_tiles(std::size_t outputs, int threads, const Round& round) {
    kernels::parallel_for(threads, (outputs + lanes - 1) / lanes, [&](std::size_t tile) {
        round(tile * lanes, std::min(lanes, outputs - tile * lanes));
    });
}

void copy_levels(const Tile& tile, std::size_t inputs, std::size_t first, std::size_t count,
                 std::vector<std::int8_t>& values) {
    for (std::size_t lane = 0; lane < count; ++lane) {
        for (std::size_t i = 0; i < inputs; ++i) {
            values[(first + lane) * inputs + i] =
                static_cast<std::int8_t>(static_cast<int>(tile.levels(i)[lane]));
        }
    }
}

}  // namespace

RoundedRows round_rows(const QuadraticError& error, std::span<const float> wanted, const RowGrid& grid,
                       int threads) {
    const std::size_t outputs = grid.scales.size();
    RoundedRows result;
    result.values.resize(outputs * error.inputs());
    result.scales.resize(outputs);
    for_tiles(outputs, threads, [&](std::size_t first, std::size_t count) {
        Tile tile(error, wanted.subspan(first * error.inputs()), count, grid.largest);
        Lanes scales;
        scales.fill(1);
        std::copy_n(grid.scales.begin() + static_cast<std::ptrdiff_t>(first), count, scales.begin());
        tile.feed_errors_back([&](const Lanes&, Lanes& to) { to = scales; });
        tile.descend(!grid.fixed_scales);
        if (grid.largest <= few_levels) {
            Tile other(error, wanted.subspan(first * error.inputs()), count, grid.largest);
            other.round_to_nearest(scales);
            other.descend(!grid.fixed_scales);
            tile.keep_better(other);
        }
        copy_levels(tile, error.inputs(), first, count, result.values);
        std::copy_n(tile.scales(0).begin(), count,
                    result.scales.begin() + static_cast<std::ptrdiff_t>(first));
    });
    return result;
}

RoundedGroups round_groups(const QuadraticError& error, std::span<const float> wanted, int threads) {
    const std::size_t outputs = wanted.size() / error.inputs();
    const std::size_t groups = (outputs + lanes - 1) / lanes;
    RoundedGroups result;
    result.values.resize(outputs * error.inputs());
    result.scales.resize(error.inputs() * groups);
    for_tiles(outputs, threads, [&](std::size_t first, std::size_t count) {
        Tile tile(error, wanted.subspan(first * error.inputs()), count, 7);
        std::vector<std::uint16_t> scales;  // from the last input, padding included
        tile.feed_errors_back([&](const Lanes& values, Lanes& to) {
            const std::uint16_t scale = int4_scale(values);
            scales.push_back(scale);
            to.fill(std::max(kernels::float16_value(scale), 1e-30F));
        });
        tile.descend(false);
        copy_levels(tile, error.inputs(), first, count, result.values);
        for (std::size_t i = 0; i < error.inputs(); ++i) {
            result.scales[i * groups + first / lanes] = scales[scales.size() - 1 - i];
        }
    });
    return result;
}

}  // namespace vgg19::converter
