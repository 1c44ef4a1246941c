"""Make the default data set: synthetic stroke patients, nothing to download."""

from strokegan_lib.phantom.command import main

if __name__ == "__main__":
    main()
