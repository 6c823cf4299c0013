// SPDX-License-Identifier: Apache-2.0
#include "cpu_info.hpp"
#include "kernel.hpp"
#include "libc.hpp"
#include "memory.hpp"
#include "os_release.hpp"
#include "parse.hpp"
#include "stand_ins.hpp"
#include "storage.hpp"
#include "support/catch.hpp"
#include "tree.hpp"
#include "virtualization.hpp"

using namespace las;
using namespace las::hardware;

TEST_CASE("numbers are read whole or not at all", "[hardware]") {
  CHECK(parse_unsigned(" 42\n") == 42u);
  CHECK(parse_unsigned("0x10de", 16) == 0x10deu);
  CHECK(parse_unsigned("18446744073709551615") == UINT64_MAX);
  CHECK_FALSE(parse_unsigned("18446744073709551616"));
  CHECK_FALSE(parse_unsigned(""));
  CHECK_FALSE(parse_unsigned("-1"));
  CHECK_FALSE(parse_unsigned("42 kB"));
  CHECK_FALSE(parse_int("2147483648"));
}

TEST_CASE("printable text has no control characters and is valid UTF-8", "[hardware]") {
  CHECK(printable("  NVIDIA GeForce\x01 RTX\t4090 \n") == "NVIDIA GeForce RTX4090");
  CHECK(printable("Prozessor f\xC3\xBCr") == "Prozessor f\xC3\xBCr");
  CHECK(printable("bad \xFF\xC3 \xED\xA0\x80") == "bad ?? ???");
  CHECK(printable(std::string(1000, 'a')) == std::string(256, 'a'));
  CHECK(printable(std::string("\0\0", 2)).empty());
}

TEST_CASE("the first word that looks like a version is the version", "[hardware]") {
  CHECK(first_version("Docker version 27.3.1, build ce12230")->text() == "27.3.1");
  CHECK(first_version("podman version 4.3.1\n")->text() == "4.3.1");
  CHECK(first_version("systemd 252 (252.39-1~deb12u2)\n+PAM")->text() == "252");
  CHECK(first_version("Python 3.11.2")->text() == "3.11.2");
  CHECK(first_version("version 2.36.")->text() == "2.36");
  CHECK(first_version("10:00:00 v 3.1")->text() == "3.1");
  CHECK_FALSE(first_version("no numbers here"));
  CHECK_FALSE(first_version(""));
}

TEST_CASE("os-release values may be quoted either way or not at all", "[hardware]") {
  const auto values = parse_os_release(
      "# comment\nID=debian\nPRETTY_NAME=\"Debian \\\"12\\\"\"\nNAME='a "
      "b'\r\nnonsense\n=x\nEMPTY=\n");
  CHECK(values ==
        std::map<std::string, std::string>{
            {"ID", "debian"}, {"PRETTY_NAME", "Debian \"12\""}, {"NAME", "a b"}, {"EMPTY", ""}});
}

TEST_CASE("the kernel release stands third in /proc/version", "[hardware]") {
  CHECK(parse_proc_version("Linux version 6.1.0-18-amd64 (debian@x) #1 SMP") == "6.1.0-18-amd64");
  CHECK_FALSE(parse_proc_version("FreeBSD 14"));
  CHECK_FALSE(parse_proc_version(""));
}

TEST_CASE("the architecture shows in the CPU's flags", "[hardware]") {
  CHECK(architecture_of_cpuinfo("flags\t\t: fpu lm avx\n") == "x86_64");
  CHECK(architecture_of_cpuinfo("Features\t: fp asimd\n") == "aarch64");
  CHECK_FALSE(architecture_of_cpuinfo("Features\t: neon vfpv4\n"));
}

TEST_CASE("the banner of libc.so.6 tells the glibc version", "[hardware]") {
  CHECK(glibc_version_of_banner("\x7f"
                                "ELF...GNU C Library (Ubuntu GLIBC 2.39-0ubuntu8.4) stable release "
                                "version 2.39.\nCopyright")
            ->text() == "2.39");
  CHECK_FALSE(glibc_version_of_banner("musl libc (x86_64)\nVersion 1.2.3"));
  CHECK_FALSE(glibc_version_of_banner("GNU C Library without its version"));
}

TEST_CASE("containers are known by the cgroup paths of their init", "[hardware]") {
  CHECK(container_of_cgroup("12:memory:/docker/0123abc\n") == "docker");
  CHECK(container_of_cgroup("0::/machine.slice/libpod-12.scope") == "podman");
  CHECK(container_of_cgroup("1:cpu:/kubepods/besteffort/pod1") == "kubernetes");
  CHECK_FALSE(container_of_cgroup("0::/init.scope\n"));
}

TEST_CASE("firmware strings tell the hypervisor, and real machines of its maker", "[hardware]") {
  CHECK(hypervisor_of_dmi("QEMU", "Standard PC (Q35 + ICH9, 2009)") == "kvm");
  CHECK(hypervisor_of_dmi("Amazon EC2", "g5.xlarge") == "kvm");
  CHECK_FALSE(hypervisor_of_dmi("Amazon EC2", "g4dn.metal"));
  CHECK(hypervisor_of_dmi("Microsoft Corporation", "Virtual Machine") == "hyperv");
  CHECK_FALSE(hypervisor_of_dmi("Microsoft Corporation", "Surface Laptop 6"));
  CHECK(hypervisor_of_dmi("innotek GmbH", "VirtualBox") == "virtualbox");
  CHECK_FALSE(hypervisor_of_dmi("Dell Inc.", "Precision 3660"));
}

TEST_CASE("cpuinfo of x86 names vendor, model and flags", "[hardware]") {
  const CpuInfo info = parse_cpuinfo(
      "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\nflags\t\t: sse2 fpu avx2 "
      "sse2\n\n"
      "processor\t: 1\nmodel name\t: another\n");
  CHECK(info.vendor == "AuthenticAMD");
  CHECK(info.model == "AMD EPYC");
  CHECK(info.features == std::vector<std::string>{"avx2", "fpu", "sse2"});
}

TEST_CASE("cpuinfo of arm64 gives codes, which are named where they are known", "[hardware]") {
  const CpuInfo arm =
      parse_cpuinfo("Features\t: fp asimd sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n");
  CHECK(arm.vendor == "ARM");
  CHECK(arm.model == "Neoverse-V2");
  CHECK(arm.features == std::vector<std::string>{"asimd", "fp", "neon", "sve"});
  const CpuInfo two = parse_cpuinfo(
      "CPU implementer\t: 0x41\nCPU part\t: 0xd87\n\nCPU implementer\t: 0x41\nCPU part\t: 0xd85\n"
      "\nCPU implementer\t: 0x41\nCPU part\t: 0xd87\n");
  CHECK(two.model == "Cortex-A725 + Cortex-X925");
  const CpuInfo other = parse_cpuinfo("CPU implementer\t: 0x99\nCPU part\t: 0x001\n");
  CHECK(other.vendor == "0x99");
  CHECK(other.model == "0x99 part 0x001");
}

TEST_CASE("kernel CPU lists are counted", "[hardware]") {
  CHECK(count_cpu_list("0-3,8,10-11\n") == 7);
  CHECK(count_cpu_list("0") == 1);
  CHECK_FALSE(count_cpu_list(""));
  CHECK_FALSE(count_cpu_list("3-0"));
  CHECK_FALSE(count_cpu_list("0-99999999999"));
  CHECK_FALSE(count_cpu_list("a-b"));
}

TEST_CASE("meminfo lines are sizes in KiB, the others are skipped", "[hardware]") {
  const auto sizes = parse_meminfo(
      "MemTotal:       24684084 kB\nHugePages_Total:       0\nSwapTotal: x kB\nDirty: "
      "99999999999999999999 kB\n");
  CHECK(sizes == std::map<std::string, ByteSize>{{"MemTotal", ByteSize(24684084ULL * 1024)}});
}

TEST_CASE("huge pages of all sizes are summed by the kernel, or counted for old ones",
          "[hardware]") {
  using las::hardware::test::MachineTree;
  MachineTree now, old, none;
  now.file("/proc/meminfo", "HugePages_Total: 3\nHugepagesize: 2048 kB\nHugetlb: 1054720 kB\n");
  CHECK(read_memory(*now.files()).huge_page_size.value == ByteSize::mib(2));
  CHECK(read_memory(*now.files()).huge_pages.value == ByteSize::mib(1030));
  old.file("/proc/meminfo", "HugePages_Total: 3\nHugepagesize: 2048 kB\n");
  CHECK(read_memory(*old.files()).huge_pages.value == ByteSize::mib(6));
  none.file("/proc/meminfo", "HugePages_Total: 18446744073709551615\nHugepagesize: 2048 kB\n");
  CHECK_FALSE(read_memory(*none.files()).huge_pages.is_known());
}

TEST_CASE("the deepest mount above a path holds it, and of two on one point the later",
          "[hardware]") {
  const char* mounts =
      "29 1 259:2 / / rw shared:1 - ext4 /dev/a rw\n"
      "40 29 259:5 / /var/lib/my\\040models rw - xfs /dev/b rw\n"
      "41 29 0:40 / /var/libx rw - tmpfs tmpfs rw\n"
      "42 29 0:41 / /var/libx rw master:7 - nfs4 server:/my\\040export rw,vers=4.2\n"
      "broken line\n";
  CHECK(mount_of(mounts, "/var/lib/my models/blobs")->file_system == "xfs");
  CHECK(mount_of(mounts, "/var/lib/my models/blobs")->number == "259:5");
  CHECK(mount_of(mounts, "/var/lib")->file_system == "ext4");
  const auto later = mount_of(mounts, "/var/libx");
  CHECK(later->file_system == "nfs4");
  CHECK(later->source == "server:/my export");
  CHECK(later->options == "rw,vers=4.2");
  CHECK_FALSE(mount_of("", "/"));
}
