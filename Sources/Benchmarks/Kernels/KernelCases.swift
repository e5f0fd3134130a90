extension KernelCase {
  /// Everything that `lockstep bench kernels` measures. A kernel joins with an entry in the list of
  /// its group.
  static func all(_ sizes: KernelSizes) -> [KernelCase] {
    products + convolutions + poolings + elementwise(sizes) + losses + reductions(sizes)
      + conversions(sizes) + optimizers(sizes)
  }
}
