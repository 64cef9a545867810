// Data sets and whole models, for what works on them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "converter/data/picture_scan.h"
#include "converter/quantize/calibration.h"
#include "engine/model/model_file.h"
#include "python/library/surgery.h"
#include "vgg19/model.h"

namespace vgg19::python {

/// A model whose tensors can all be read while this exists.
class WholeModel {
  public:
    explicit WholeModel(const Model& model);
    const model::ModelFile& file() const { return *file_; }

  private:
    std::shared_ptr<const model::ModelFile> file_;
    model::MappedFile::Use use_;
};

/// Before any work: throws Error (usage) unless `destination` is, or can become, a regular file other than
/// the model's.
void check_destination(const model::ModelFile& model, const std::filesystem::path& destination);

/// The same, told of one part of the work.
model::Progress part(const Progress& progress, const char* work);

std::unique_ptr<converter::DataSet> open_pictures(const PictureOptions& options, converter::DataUse use);

/// Pictures to calibrate with: those of the options that can be read.
class CalibrationPictures {
  public:
    /// Throws Error (bad_input) if too many cannot be read.
    CalibrationPictures(const PictureOptions& options, const model::ModelFile& model,
                        const Progress& progress);

    const converter::CalibrationImages& images() const { return images_; }
    converter::CalibrationImages at_most(std::size_t count) const;
    const std::vector<converter::BrokenPicture>& broken() const { return broken_; }
    /// For the lineage.
    std::string text() const;

  private:
    std::filesystem::path path_;
    std::unique_ptr<converter::DataSet> data_;
    converter::CalibrationImages images_;
    std::vector<converter::BrokenPicture> broken_;
};

std::vector<std::string> problems(const std::vector<converter::BrokenPicture>& broken);

}  // namespace vgg19::python
