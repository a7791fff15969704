// The sample configuration is what agent/config says of itself, below a header of its own.
// usage: lint_sample_config FILE; without FILE it prints what belongs there.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "agent/config/config.hpp"

int main(int argc, char** argv) {
  const std::string wanted = clockmend::config::describe_defaults();
  if (argc < 2) {
    std::fputs(wanted.c_str(), stdout);
    return 0;
  }
  std::stringstream text;
  text << std::ifstream(argv[1]).rdbuf();
  const std::string sample = text.str();
  const auto begin = sample.find("\n[");
  if (begin != std::string::npos && sample.substr(begin + 1) == wanted) return 0;
  std::fprintf(stderr, "%s differs from what agent/config knows; replace all below its header by the output of\n  %s\n", argv[1], argv[0]);
  return 1;
}
