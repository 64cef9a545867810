#include "python/library/pictures_to_use.h"

#include <utility>

#include "converter/quantize/option_names.h"
#include "engine/model/model_access.h"
#include "tools/command.h"
#include "vgg19/image.h"

namespace vgg19::python {

WholeModel::WholeModel(const Model& model)
    : file_(model::ModelAccess::file(model)),
      use_(file_->file().mapping().use(file_->file().mapping().bytes())) {}

void check_destination(const model::ModelFile& model, const std::filesystem::path& destination) {
    tools::check_destination(destination);
    model::require_other_file(model.path(), destination);
}

model::Progress part(const Progress& progress, const char* work) {
    if (!progress) return {};
    return [&progress, work](std::uint64_t done, std::uint64_t total) { progress(work, done, total); };
}

std::unique_ptr<converter::DataSet> open_pictures(const PictureOptions& options, converter::DataUse use) {
    ImageOptions reading;
    reading.apply_exif = options.exif;
    return converter::open_data_set(options.pictures, use, reading);
}

CalibrationPictures::CalibrationPictures(const PictureOptions& options, const model::ModelFile& model,
                                         const Progress& progress)
    : path_(options.pictures), data_(open_pictures(options, converter::DataUse::training)) {
    const std::vector<std::size_t> chosen = converter::spread_items(data_->size(), options.count);
    converter::PictureScan scan =
        converter::scan_pictures(*data_, chosen, options.threads, part(progress, "looking at pictures"));
    converter::require_few_broken(scan.broken, chosen.size(), path_.string());
    broken_ = std::move(scan.broken);
    images_.data = data_.get();
    images_.items = std::move(scan.items);
    images_.session.set_input_size(options.size.empty() ? model.description().preprocessing.input_size
                                                        : options.size);
    images_.session.threads = options.threads;
    images_.session.isa = options.isa;
}

converter::CalibrationImages CalibrationPictures::at_most(std::size_t count) const {
    converter::CalibrationImages fewer = images_;
    fewer.items.clear();
    for (const std::size_t place : converter::spread_items(images_.items.size(), count)) {
        fewer.items.push_back(images_.items[place]);
    }
    return fewer;
}

std::string CalibrationPictures::text() const {
    return converter::calibration_text(path_, images_);
}

std::vector<std::string> problems(const std::vector<converter::BrokenPicture>& broken) {
    std::vector<std::string> texts;
    texts.reserve(broken.size());
    for (const converter::BrokenPicture& picture : broken) texts.push_back(picture.problem);
    return texts;
}

}  // namespace vgg19::python
