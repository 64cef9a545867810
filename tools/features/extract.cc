#include "tools/features/extract.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "engine/image/preprocess.h"
#include "engine/model/network.h"
#include "kernels/common/parallel.h"
#include "tools/features/picture_reader.h"
#include "tools/picture_sizes.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

/// A run of so many pixels keeps all threads busy; more only take memory.
constexpr std::size_t most_pixels_of_a_run = 16 * 224 * 224;

PictureInput read_picture(const std::string& path, const ExtractOptions& options,
                          const Preprocessing& preprocessing, MapSize size) {
    const Image image = load_image(path, options.image);
    PictureInput input;
    if (options.own_sizes) {
        input.size = size_of(image);
        input.values = input_of(image, preprocessing);
    } else {
        input.size = size;
        input.values.resize(model::image_channels * size.pixels());
        preprocess(image.view(), preprocessing, size, input.values);
    }
    return input;
}

bool is_pooled(const Output& output, MapPool pool) {
    constexpr std::size_t axes_of_maps = 4;
    return pool != MapPool::none && output.shape.size() == axes_of_maps;
}

Shapes row_shapes(const Session& session, MapPool pool) {
    Shapes shapes;
    for (const Output& output : session.outputs()) {
        const auto end = is_pooled(output, pool) ? output.shape.begin() + 2 : output.shape.end();
        shapes.emplace_back(output.shape.begin() + 1, end);
    }
    return shapes;
}

std::string shapes_text(const Shapes& shapes) {
    std::string text;
    for (const auto& shape : shapes) text += (text.empty() ? "" : ", ") + joined(shape, "×");
    return text;
}

class Extraction {
  public:
    Extraction(Session& session, const ExtractOptions& options, const std::vector<PictureFile>& pictures,
               RowFile& rows, const std::function<void(const PictureProblem&)>& report)
        : session_(session), options_(options), pictures_(pictures), rows_(rows), report_(report) {}

    /// Runs what is waiting first, if the picture does not fit to it.
    void add(PictureInput input) {
        if (!input.problem.empty()) {
            problem(input.index, input.problem);
            return;
        }
        if (!waiting_.empty() && !(input.size == waiting_.front().size)) run();
        waiting_.push_back(std::move(input));
        if (waiting_.size() >= most_in_batch(options_, waiting_.front().size)) run();
    }

    void run() {
        if (waiting_.empty()) return;
        if (plan_for(waiting_)) {
            compute();
            for (std::size_t i = 0; i < waiting_.size(); ++i) keep(i);
        }
        waiting_.clear();
    }

    std::vector<PictureProblem> problems() && {
        // A batch's problems may come after those of pictures that could not be read.
        std::stable_sort(problems_.begin(), problems_.end(),
                         [](const PictureProblem& a, const PictureProblem& b) { return a.index < b.index; });
        return std::move(problems_);
    }

  private:
    void problem(std::size_t index, const std::string& text) {
        problems_.push_back({index, text});
        report_(problems_.back());
    }

    /// False if the session cannot run these, which then are problems.
    bool plan_for(const std::vector<PictureInput>& batch) {
        const MapSize size = batch.front().size;
        try {
            if (!(session_.input_size() == size) || session_.batch() != batch.size()) {
                session_.reshape(size, batch.size());
            }
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::usage || !options_.own_sizes) throw;
            for (const PictureInput& input : batch) {
                problem(input.index, pictures_[input.index].path + ": " + error.what());
            }
            return false;
        }
        shapes_ = row_shapes(session_, options_.pool);
        return fits_before(batch);
    }

    bool fits_before(const std::vector<PictureInput>& batch) {
        const Shapes* before = rows_.shapes();
        if (before == nullptr || *before == shapes_) return true;
        for (const PictureInput& input : batch) {
            problem(input.index, pictures_[input.index].path + ": expected maps of " + shapes_text(*before) +
                                     " as of the pictures before, found " + shapes_text(shapes_) +
                                     " (--pool avg, --pool gem or a --size makes all alike)");
        }
        return false;
    }

    void compute() {
        input_.clear();
        for (const PictureInput& input : waiting_) {
            input_.insert(input_.end(), input.values.begin(), input.values.end());
        }
        results_.resize(session_.outputs().size());
        std::vector<std::span<float>> spans;
        for (std::size_t i = 0; i < results_.size(); ++i) {
            results_[i].resize(session_.outputs()[i].size());
            spans.emplace_back(results_[i]);
        }
        session_.run(input_, spans, {.is_cancelled = options_.should_stop});
    }

    /// Pools picture `place` of the batch, and appends its row.
    void keep(std::size_t place) {
        Row row;
        row.shapes = shapes_;
        std::vector<std::size_t> ends;
        for (const auto& shape : shapes_) {
            std::size_t size = 1;
            for (const std::size_t side : shape) size *= side;
            ends.push_back((ends.empty() ? 0 : ends.back()) + size);
        }
        row.values.resize(ends.back());
        kernels::parallel_for(session_.threads(), ends.size(), [&](std::size_t i) {
            const std::size_t begin = i == 0 ? 0 : ends[i - 1];
            const auto to = std::span(row.values).subspan(begin, ends[i] - begin);
            const std::size_t floats = results_[i].size() / waiting_.size();
            const auto from = std::span<const float>(results_[i]).subspan(place * floats, floats);
            if (is_pooled(session_.outputs()[i], options_.pool)) {
                pool_map(options_.pool, options_.power, from, to);
            } else {
                std::copy(from.begin(), from.end(), to.begin());
            }
        });
        rows_.append(pictures_[waiting_[place].index], row);
    }

    Session& session_;
    const ExtractOptions& options_;
    const std::vector<PictureFile>& pictures_;
    RowFile& rows_;
    const std::function<void(const PictureProblem&)>& report_;
    std::vector<PictureInput> waiting_;
    std::vector<float> input_;
    std::vector<std::vector<float>> results_;
    Shapes shapes_;
    std::vector<PictureProblem> problems_;
};

}  // namespace

std::size_t most_in_batch(const ExtractOptions& options, MapSize size) {
    return std::clamp<std::size_t>(most_pixels_of_a_run / size.pixels(), 1, options.batch);
}

Extracted extract(Session& session, const ExtractOptions& options, const std::vector<PictureFile>& pictures,
                  const std::vector<std::size_t>& indices, RowFile& rows,
                  const std::function<void(const PictureProblem&)>& report, const model::Progress& progress) {
    const Preprocessing preprocessing = session.model().preprocessing();
    const MapSize size = session.input_size();
    PictureReader reader(
        indices,
        [&](std::size_t index) { return read_picture(pictures[index].path, options, preprocessing, size); },
        options.reading_threads, {.pictures = 2 * options.batch + options.reading_threads});
    Extraction extraction(session, options, pictures, rows, report);
    Extracted result;
    std::size_t done = 0;
    try {
        while (auto input = reader.next()) {
            result.stopped = options.should_stop && options.should_stop();
            if (result.stopped) break;
            extraction.add(std::move(*input));
            progress(++done, indices.size());
        }
        if (!result.stopped) extraction.run();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::cancelled) throw;
        result.stopped = true;
    }
    result.problems = std::move(extraction).problems();
    return result;
}

}  // namespace vgg19::tools
