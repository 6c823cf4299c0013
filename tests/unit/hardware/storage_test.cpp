// SPDX-License-Identifier: Apache-2.0
#include "storage.hpp"

#include "block_device.hpp"
#include "support/catch.hpp"
#include "tree.hpp"

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

/// A machine with disks, as Linux shows them in /sys/class/block and /sys/dev/block.
class Disks : public MachineTree {
 public:
  /// A block device at `place` below /sys/devices, with its number.
  Disks& disk(const std::string& place, const std::string& number) {
    const std::string name = std::filesystem::path(place).filename();
    folder("/sys/devices/" + place);
    link("/sys/class/block/" + name, "../../devices/" + place);
    link("/sys/dev/block/" + number, "../../devices/" + place);
    return *this;
  }

  Disks& partition(const std::string& place, const std::string& number) {
    disk(place, number).file("/sys/devices/" + place + "/partition", "1\n");
    return *this;
  }

  Disks& nvme(const std::string& speed, const std::string& width) {
    const std::string pci = "pci0000:00/0000:01:00.0";
    const std::string controller = pci + "/nvme/nvme0";
    file("/sys/devices/" + pci + "/current_link_speed", speed);
    file("/sys/devices/" + pci + "/current_link_width", width);
    file("/sys/devices/" + controller + "/transport", "pcie\n");
    file("/sys/devices/" + controller + "/model", "Samsung SSD 990 PRO 2TB\n");
    link("/sys/devices/" + controller + "/device", "../../../0000:01:00.0");
    disk(controller + "/nvme0n1", "259:0");
    link("/sys/devices/" + controller + "/nvme0n1/device", "../../nvme0");
    partition(controller + "/nvme0n1/nvme0n1p2", "259:2");
    return *this;
  }

  Disks& scsi(const std::string& place, const std::string& rotational, const std::string& number) {
    disk(place, number).file("/sys/devices/" + place + "/queue/rotational", rotational);
    return *this;
  }

  Disks& mount(const std::string& line) {
    mounts_ += "29 1 " + line + "\n";
    file("/proc/self/mountinfo", mounts_);
    return *this;
  }

  Storage at_models() const { return captured_storage(*files(), "models", "/srv/models"); }

 private:
  std::string mounts_;
};

const std::string kRoot = "259:2 / / rw - ext4 /dev/nvme0n1p2 rw";

}  // namespace

TEST_CASE("a partition of an NVMe disk reads as fast as its PCIe link", "[hardware]") {
  Disks disks;
  disks.nvme("16.0 GT/s PCIe\n", "4\n").mount(kRoot);
  const Storage storage = disks.at_models();
  CHECK(storage.file_system == known(std::string("ext4"), "/proc/self/mountinfo"));
  CHECK(storage.device == known(std::string("nvme0n1"), "/sys/class/block"));
  CHECK(storage.device_kind == known(std::string("nvme"), "/sys/class/block/nvme0n1"));
  CHECK(storage.read_class ==
        known(std::string("pcie4"), "/sys/class/block/nvme0n1/device/device/current_link_speed"));
  CHECK(storage.reflink == known(false, "/proc/self/mountinfo"));
}

TEST_CASE("an NVMe disk that several controllers may share is found below its subsystem",
          "[hardware]") {
  Disks disks;
  const std::string pci = "/sys/devices/pci0000:00/0000:01:00.0";
  disks.file(pci + "/current_link_speed", "32.0 GT/s PCIe\n")
      .file(pci + "/current_link_width", "4\n")
      .file(pci + "/nvme/nvme3/transport", "pcie\n")
      .link(pci + "/nvme/nvme3/device", "../../../0000:01:00.0");
  const std::string subsystem = "virtual/nvme-subsystem/nvme-subsys0";
  disks.link("/sys/devices/" + subsystem + "/nvme3", "../../../pci0000:00/0000:01:00.0/nvme/nvme3");
  disks.disk(subsystem + "/nvme0n1", "259:0");
  disks.link("/sys/devices/" + subsystem + "/nvme0n1/device", "../../nvme-subsys0");
  disks.mount("259:0 / / rw - xfs /dev/nvme0n1 rw");
  CHECK(disks.at_models().read_class.value == "pcie5");
}

TEST_CASE("classes of PCIe links follow speed times lanes", "[hardware]") {
  CHECK(pcie_class(8, 4) == "pcie3");
  CHECK(pcie_class(16, 4) == "pcie4");
  CHECK(pcie_class(16, 2) == "pcie3");
  CHECK(pcie_class(32, 4) == "pcie5");
  CHECK(pcie_class(5, 8) == "pcie3");
  CHECK_FALSE(pcie_class(8, 2));
  CHECK_FALSE(pcie_class(5, 4));
  CHECK_FALSE(pcie_class(16, 0));
  CHECK(parse_link_speed("16.0 GT/s PCIe") == 16);
  CHECK(parse_link_speed("2.5 GT/s PCIe") == 2.5);
  CHECK_FALSE(parse_link_speed("Unknown"));
  CHECK_FALSE(parse_link_speed("16.0"));
}

TEST_CASE("a slow link has no class rather than a wrong one", "[hardware]") {
  Disks disks;
  disks.nvme("8.0 GT/s PCIe\n", "2\n").mount(kRoot);
  CHECK(disks.at_models().device_kind.value == "nvme");
  CHECK(disks.at_models().read_class.unknown ==
        "its PCIe link (8 GT/s, 2 lanes) is slower than four lanes of PCIe 3");
}

TEST_CASE("SATA disks are flash or spin; behind USB their speed is unknown", "[hardware]") {
  Disks disks;
  disks.scsi("pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda", "0\n", "8:0")
      .scsi("pci0000:00/0000:00:17.0/ata2/host1/target1:0:0/1:0:0:0/block/sdb", "1\n", "8:16")
      .scsi("pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/block/sdc", "0\n", "8:32")
      .scsi("pci0000:00/0000:00:01.0/host7/target7:0:0/7:0:0:0/block/sdd", "0\n", "8:48");
  const auto sda = read_block_device(*disks.files(), "sda");
  CHECK(sda.kind.value == "ssd");
  CHECK(sda.read_class.value == "sata");
  const auto sdb = read_block_device(*disks.files(), "sdb");
  CHECK(sdb.kind.value == "hdd");
  CHECK(sdb.read_class.value == "hdd");
  const auto sdc = read_block_device(*disks.files(), "sdc");
  CHECK(sdc.kind.value == "ssd");
  CHECK(sdc.read_class.unknown == "it is behind USB");
  CHECK_FALSE(read_block_device(*disks.files(), "sdd").read_class.is_known());
}

TEST_CASE("an encrypted volume is as the disk below it", "[hardware]") {
  Disks disks;
  disks.nvme("8.0 GT/s PCIe\n", "4\n").disk("virtual/block/dm-0", "254:0");
  disks.folder("/sys/devices/virtual/block/dm-0/slaves/nvme0n1p2");
  disks.mount("254:0 / / rw - ext4 /dev/mapper/root rw");
  CHECK(disks.at_models().device.value == "nvme0n1");
  CHECK(disks.at_models().read_class.value == "pcie3");
}

TEST_CASE("of several disks the slowest decides", "[hardware]") {
  Disks disks;
  disks.nvme("16.0 GT/s PCIe\n", "4\n")
      .scsi("pci0000:00/0000:00:17.0/ata2/host1/target1:0:0/1:0:0:0/block/sdb", "1\n", "8:16")
      .disk("virtual/block/md0", "9:0");
  disks.folder("/sys/devices/virtual/block/md0/slaves/nvme0n1p2")
      .folder("/sys/devices/virtual/block/md0/slaves/sdb");
  const auto both = read_block_device(*disks.files(), "md0");
  CHECK(both.device.value == "nvme0n1 sdb");
  CHECK(both.kind.value == "hdd");
  CHECK(both.read_class.value == "hdd");
}

TEST_CASE("what lies behind a virtual disk is unknown", "[hardware]") {
  Disks disks;
  disks.disk("pci0000:00/0000:00:02.0/virtio1/block/vda", "254:0");
  disks.scsi("pci0000:00/0000:00:03.0/host2/target2:0:0/block/sda", "1\n", "8:0");
  disks.file("/sys/devices/pci0000:00/0000:00:03.0/host2/target2:0:0/block/sda/device/vendor",
             "QEMU    \n");
  disks.disk("pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1", "259:0");
  disks.file("/sys/devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1/device/model",
             "Amazon Elastic Block Store\n");
  for (const char* name : {"vda", "sda", "nvme0n1"}) {
    CHECK(read_block_device(*disks.files(), name).kind.value == "virtual");
    CHECK(read_block_device(*disks.files(), name).read_class.unknown ==
          "what lies behind a virtual disk is not known");
  }
}

TEST_CASE("NVMe over a network is a network", "[hardware]") {
  Disks disks;
  disks.disk("virtual/nvme-fabrics/ctl/nvme0/nvme0n1", "259:0");
  disks.file("/sys/devices/virtual/nvme-fabrics/ctl/nvme0/nvme0n1/device/transport", "tcp\n");
  CHECK(read_block_device(*disks.files(), "nvme0n1").kind.value == "network");
}

TEST_CASE("file systems without a disk of this machine say what they are", "[hardware]") {
  Disks memory, network, host;
  memory.mount("0:25 / /srv rw - tmpfs tmpfs rw");
  CHECK(memory.at_models().device_kind.value == "memory");
  CHECK(memory.at_models().reflink.value == false);
  network.mount("0:51 / /srv/models rw - nfs4 server:/export rw,vers=4.2");
  CHECK(network.at_models().device_kind.value == "network");
  CHECK_FALSE(network.at_models().reflink.is_known());
  host.mount("0:51 / /srv/models rw - virtiofs share rw");
  CHECK(host.at_models().device_kind.value == "virtual");
}

TEST_CASE("btrfs has no number of its own and is found by its source", "[hardware]") {
  Disks disks;
  disks.nvme("16.0 GT/s PCIe\n", "4\n").mount("0:30 /@ / rw - btrfs /dev/nvme0n1p2 rw,subvol=/@");
  CHECK(disks.at_models().device.value == "nvme0n1");
  CHECK(disks.at_models().reflink == known(true, "/proc/self/mountinfo"));
  Disks mapped;
  mapped.nvme("16.0 GT/s PCIe\n", "4\n").disk("virtual/block/dm-0", "254:0");
  mapped.folder("/sys/devices/virtual/block/dm-0/slaves/nvme0n1p2");
  mapped.link("/dev/mapper/luks-root", "../dm-0");
  mapped.mount("0:30 / / rw - btrfs /dev/mapper/luks-root rw");
  CHECK(mapped.at_models().device.value == "nvme0n1");
  Disks pool;
  pool.mount("0:44 / / rw - zfs tank/data rw");
  CHECK(pool.at_models().device.unknown == "the kernel does not tell which disk it lies on");
  CHECK(pool.at_models().reflink.unknown == "whether zfs can depends on how it was made");
}

TEST_CASE("an overlay is as its upper layer, if that can be seen", "[hardware]") {
  const std::string overlay =
      "0:60 / / rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/data/upper,workdir=/data/work";
  Disks seen;
  seen.nvme("16.0 GT/s PCIe\n", "4\n").mount(overlay).mount("259:2 / /data rw - btrfs /dev/x rw");
  seen.folder("/data/upper");
  CHECK(seen.at_models().file_system.value == "overlay");
  CHECK(seen.at_models().device.value == "nvme0n1");
  CHECK(seen.at_models().reflink.value == true);
  Disks hidden;
  hidden.mount(overlay).mount("259:2 / /data rw - btrfs /dev/x rw");  // another /data
  CHECK(hidden.at_models().device.unknown ==
        "the upper layer of this overlay cannot be seen from here");
  CHECK_FALSE(hidden.at_models().reflink.is_known());
}

TEST_CASE("block devices that point in circles or nowhere are unknown", "[hardware]") {
  Disks disks;
  disks.disk("virtual/block/dm-0", "254:0").disk("virtual/block/dm-1", "254:1");
  disks.folder("/sys/devices/virtual/block/dm-0/slaves/dm-1");
  disks.folder("/sys/devices/virtual/block/dm-1/slaves/dm-0");
  CHECK_FALSE(read_block_device(*disks.files(), "dm-0").device.is_known());
  CHECK_FALSE(read_block_device(*disks.files(), "gone0").kind.is_known());
  CHECK_FALSE(read_block_device(*disks.files(), "../../etc").kind.is_known());
}
