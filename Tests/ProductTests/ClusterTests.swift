import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// Hosts made of network namespaces, Open MPI's own launcher, real TCP.
  @Suite(.serialized) struct ClusterTests {
    static let tool = Location.package + "/Tests/ProductTests/Cluster/with-cluster"

    /// Nil if clusters can be made here, else why not.
    static let obstacle: String? = {
      do {
        let result = try Command([tool, "1", "--", "true"], timeLimit: 30).run()
        return result.status == 0 ? nil : result.errors
      } catch {
        return "\(error)"
      }
    }()

    /// Ranks of different hosts share this machine's cores, which no host knows: they are not
    /// bound.
    static let environment = ["OMPI_MCA_hwloc_base_binding_policy": "none"]

    @Test(
      "three hosts give the loss curve of one, with 1 and with 2 ranks each",
      .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"),
      arguments: [1, 2])
    func threeHosts(ranksPerHost: Int) throws {
      let folder = try TemporaryDirectory()
      let example = Location.package + "/Examples/fashion-mnist-mlp.yaml"
      let hasData = FileManager.default.fileExists(
        atPath: Location.package + "/.data/fashion-mnist/train-images-idx3-ubyte")
      let file = hasData ? example : try folder.file("small.yaml", smallConfiguration)
      let options = [
        "train", file, "--set", "log.every-steps=1", "--set", "training.max-steps=50",
        "--output",
      ]
      let alone = try Launching.alone(
        options + [folder.path + "/one"], directory: Location.package)
      #expect(alone.status == 0, "\(alone.errors)")

      // The hostfile is known inside the cluster only.
      let line = "exec \"$0\" launch -n \(3 * ranksPerHost) --hostfile \"$CLUSTER_HOSTFILE\" \"$@\""
      let cluster = try Command(
        [
          Self.tool, "--slots", "\(ranksPerHost)", "3", "--", "bash", "-c", line,
          Launching.lockstep,
        ]
          + options + [folder.path + "/three"],
        environment: Self.environment, directory: Location.package, timeLimit: 180
      ).run()
      #expect(cluster.status == 0, "\(cluster.errors)")
      #expect(cluster.output.contains("\(3 * ranksPerHost) ranks on 3 nodes"))

      let one = try LeftBehind(folder.path + "/one")
      let three = try LeftBehind(folder.path + "/three")
      #expect(three.losses.count == one.losses.count)
      #expect(three.summary["nodes"] as? Int == 3)
      #expect(three.summary["replicas-equal"] as? Bool == true)
      for (a, b) in zip(three.losses, one.losses) { #expect(abs(a - b) <= 1e-4 * b) }
    }

    @Test(
      "an input that only one host lacks is told with that host's name",
      .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"))
    func missingOnOneHost() throws {
      let folder = try TemporaryDirectory()
      let data = try folder.file("features.idx", [0, 0, 8, 1, 0, 0, 0, 2, 1, 2])
      let file = try folder.file(
        "small.yaml",
        """
        data: {format: idx, train: {features: \(data), labels: \(data)}}
        model: [{dense: 4}]
        training: {batch-size: 2}
        output: \(folder.path)/run
        """)
      // host2 sees an empty folder where the others see the data.
      let hide = "[ $(hostname) != host2 ] || mount -t tmpfs none \(folder.path); exec \"$@\""
      let line = """
        exec mpirun --allow-run-as-root --quiet -n 2 --map-by ppr:1:node \
        --hostfile "$CLUSTER_HOSTFILE" unshare --mount bash -c '\(hide)' - "$@"
        """
      // The configuration itself lies elsewhere, so that all hosts can read it.
      let shared = try TemporaryDirectory()
      try FileManager.default.copyItem(atPath: file, toPath: shared.path + "/small.yaml")
      let result = try Command(
        [
          Self.tool, "2", "--", "bash", "-c", line, "-", Launching.lockstep, "train",
          shared.path + "/small.yaml",
        ], environment: Self.environment, timeLimit: 120
      ).run()
      #expect(result.status == 66, "\(result.errors)")
      #expect(
        result.errors.contains("error: [1/2 host2] \(data): no such file"), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test(
      "a cluster leaves nothing behind, also when it is ended from outside",
      .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"))
    func cleansUp() throws {
      let ended = try Command(
        ["timeout", "-s", "TERM", "2", Self.tool, "3", "--", "sleep", "60"], timeLimit: 60
      ).run()
      #expect(ended.status == 124)
      let exit = try Command([Self.tool, "2", "--", "bash", "-c", "echo $$; exit 7"]).run()
      #expect(exit.status == 7)
      // `timeout` returns when it has sent the signal; the tool may still be at it.
      for _ in 0..<50 where try !leftovers().isEmpty { usleep(100_000) }
      #expect(try leftovers().isEmpty)
    }

    /// Namespaces of tools that are no longer running.
    private func leftovers() throws -> [Substring] {
      try Command(["ip", "netns", "list"]).run().output.split(separator: "\n").filter {
        let parts = $0.split(separator: "-")
        return parts.count >= 3 && parts[0] == "lockstep"
          && !FileManager.default.fileExists(atPath: "/proc/\(parts[1])")
      }
    }
  }
}
