// clockmend-host-libvirt: what libvirt knows, as lines on stdout, for clockmend-host. Not for people.
//   clockmend-host-libvirt list URI | find URI NAME... | follow URI     (URI "": libvirt's default)
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "agent/host/libvirt/hypervisor.hpp"

namespace {

using namespace clockmend;

// Whoever started us has gone: nobody reads any more.
void say(const host::Feed& feed) {
  const std::string line = host::feed_line(feed) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0) ::_exit(1);
}

int run(const std::vector<std::string>& words) {
  host::Hypervisor hypervisor(say);
  core::Status status = hypervisor.open(words[1]);
  if (status && words[0] == "list") {
    status = hypervisor.list();
  } else if (status && words[0] == "find") {
    status = hypervisor.find({words.begin() + 2, words.end()});
  } else if (status) {
    status = hypervisor.follow();
  }
  if (status) return 0;
  say(status.error());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Never outlives clockmend-host, however that ends (prctl(2)); a parent that ended before this line is noticed by SIGPIPE.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool known = words.size() >= 2 && (words[0] == "list" || words[0] == "find" || words[0] == "follow");
  if (!known) {
    std::fputs("clockmend-host-libvirt is a part of clockmend-host(1) and not called directly.\n", stderr);
    return 64;
  }
  try {
    return run(words);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "clockmend-host-libvirt: %s\n", e.what());
    return 1;
  }
}
