extension KernelCase {
  /// Everything that `lockstep bench kernels` measures: all that a kernel set has, which a test
  /// proves. A kernel joins with an entry in the list of its group.
  static func all(_ sizes: KernelSizes) -> [KernelCase] {
    products + sparses + convolutions + poolings + elementwise(sizes) + activations(sizes)
      + normalizations + randoms(sizes) + losses + reductions(sizes) + conversions(sizes)
      + optimizers(sizes) + checks(sizes)
  }
}
