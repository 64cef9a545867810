// The subcommands, one source file each; program.cc has their table.
#pragma once

namespace vgg19::tools {

int bench(int argc, char** argv);
int classify(int argc, char** argv);
int compare(int argc, char** argv);
int compress(int argc, char** argv);
int convert(int argc, char** argv);
int eval(int argc, char** argv);
int export_model(int argc, char** argv);
int factorize(int argc, char** argv);
int features(int argc, char** argv);
int finetune(int argc, char** argv);
int inspect(int argc, char** argv);
int pipeline(int argc, char** argv);
int prune(int argc, char** argv);
int quantize(int argc, char** argv);
int run(int argc, char** argv);
int serve(int argc, char** argv);
int stylize(int argc, char** argv);
int sysinfo(int argc, char** argv);
int tune(int argc, char** argv);

}  // namespace vgg19::tools
