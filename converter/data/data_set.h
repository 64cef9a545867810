// Data sets of pictures for calibration, evaluation and training.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vgg19/image.h"
#include "vgg19/model.h"

namespace vgg19::converter {

/// The purpose for which a data set is opened.
enum class DataUse : unsigned char { training, evaluation };

/// Files in the folder that are not read.
struct LeftOut {
    /// An extension such as ".txt" ("" for none), the file's name if it is the only one, or which folder.
    std::string kind;
    std::size_t files = 0;
    bool pictures = false;  ///< whether they are pictures in a format that this build does not read
};

/// Where the items come from.
struct DataSource {
    std::size_t files = 0;
    std::vector<std::string> names;  ///< of files that hold many items each, in reading order
    std::vector<LeftOut> left_out;   ///< pictures first
};

/// Items in an order that is the same on every machine.
class DataSet {
  public:
    DataSet() = default;
    virtual ~DataSet() = default;
    DataSet(const DataSet&) = delete;
    DataSet& operator=(const DataSet&) = delete;

    virtual std::size_t size() const = 0;  ///< never 0
    /// The item's name in messages: its file and its position in the file.
    virtual std::string name(std::size_t item) const = 0;
    virtual std::optional<std::size_t> label(std::size_t item) const = 0;
    /// In the order of labels; empty if the items have no labels.
    virtual std::vector<std::string> class_names() const { return {}; }
    /// The nearest ImageNet class of each class, if the data set comes with such a map; else empty.
    virtual std::span<const std::size_t> imagenet_classes() const { return {}; }
    /// Whether read() crops a larger picture to its centre, as resize_ratio says; otherwise it uses the whole
    /// picture.
    virtual bool has_margin() const { return true; }
    virtual const DataSource& source() const;
    /// The decoded picture in its original size. Throws Error (bad_input) that names the file.
    virtual Image picture(std::size_t item) const = 0;
    /// Writes the model's input: (3, height, width) normalised floats. Throws Error (bad_input) that names
    /// the file of an unreadable picture.
    virtual void read(std::size_t item, const Preprocessing& preprocessing, MapSize size,
                      std::span<float> nchw) const = 0;
};

/// Opens a data set; the kind follows from the content:
/// - CIFAR-10's binary files (records of a label from 0 to 9 and 3·32·32 bytes, plane by plane): one file, or
///   a folder's *.bin files for this use, sorted by name. For training: data_batch_*.bin; without those, all
///   but test_batch.bin; if there is no other file, that one. For evaluation: test_batch.bin; without it, all
///   files. Pictures are resized directly to the input's size. The classes map to ImageNet's airliner, sports
///   car, robin, tabby, impala, golden retriever, bullfrog, sorrel, container ship and trailer truck.
/// - A folder of images without labels, or of one folder per class, with images at any depth. The label is
///   the class folder's index in name order. Pictures are resized and cropped as in `classify`. Links are
///   followed; hidden files and files created by the system do not count.
///
/// `options` say how images are read. Throws Error (bad_input) if there is nothing to read (the message says
/// what else is there), if images lie next to class folders, if there are folders of training and test sets
/// instead of classes, if a file's length is not a multiple of the record size, and for a label above 9.
std::unique_ptr<DataSet> open_data_set(const std::filesystem::path& path, DataUse use = DataUse::training,
                                       const ImageOptions& options = {});

/// "10,000 images in 1 file (data_batch_1.bin); left out: test_batch.bin" or "1,200 images in 12 class
/// folders; left out: 3 .webp (pictures that this build does not read), 2 .txt".
std::string description(const DataSet& data);

/// `count` of `total` items at equal distances, ascending; all items if `count` ≥ `total`.
std::vector<std::size_t> spread_items(std::size_t total, std::size_t count);

}  // namespace vgg19::converter
