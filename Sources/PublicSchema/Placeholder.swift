public enum PublicSchema {}
